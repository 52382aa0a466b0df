"use strict";
// The grid. Only rows near the viewport are in the page, so ten thousand clips cost as much as thirty. Each card keeps its
// node while it is near; other nodes are reused.

Gallery.grid = (() => {
  const { find, fill, h } = Gallery.dom;
  const { store, pager, card } = Gallery;
  const MARGIN = 1; // viewports above and below that are rendered
  const nodes = new Map(); // id -> its node
  const spare = [];
  let list;
  let shape = { columns: 1, width: 0, height: 0, gap: 0 };
  let ratio = 16 / 9; // of the frames: that of most clips
  let frame = 0;
  let lastScroll = 0; // position of the last layout
  let timer = 0;
  let savedScroll = 0; // position when the grid was left

  function start() {
    list = find("grid");
    addEventListener("scroll", schedule, { passive: true });
    new ResizeObserver(() => {
      shape.width = 0;
      schedule();
    }).observe(find("main"));
    store.on("list", () => {
      chooseRatio();
      empty();
      schedule();
    });
    store.on("head", empty);
    store.on("card", refresh);
    store.on("select", mark);
    setInterval(updateAges, 30000);
  }

  const schedule = () => { frame ||= requestAnimationFrame(layout); };

  /** Use the ratio of most clips for all frames; other clips are letterboxed. */
  function chooseRatio() {
    const votes = new Map();
    for (const id of store.state.visible) {
      const [wide, high] = (store.row(id).shape || "16:9").split(":").map(Number);
      const rounded = (Math.min(2.4, Math.max(0.5625, wide / high || 16 / 9))).toFixed(1);
      votes.set(rounded, (votes.get(rounded) || 0) + 1);
    }
    const winner = [...votes].sort((one, other) => other[1] - one[1])[0];
    const named = { "0.6": 9 / 16, "0.8": 3 / 4, "1.3": 4 / 3, "1.8": 16 / 9, "2.3": 21 / 9 };
    if (winner) ratio = named[winner[0]] || Number(winner[0]);
    list.style.setProperty("--frame", String(ratio));
    shape.width = 0;
  }

  /** Compute the columns, and the height of a row: the frame and three lines of text. */
  function measure() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const whole = list.clientWidth;
    const phone = whole < 34 * rem;
    const gap = (phone ? 0.75 : 1.25) * rem;
    const columns = Math.max(1, Math.floor((whole + gap) / ((phone ? 10 : 15.5) * Math.sqrt(ratio * 9 / 16) * rem + gap)));
    const width = Math.floor((whole - gap * (columns - 1)) / columns);
    shape = { columns, width, gap, height: Math.round(width / ratio + 4.6 * rem + gap) };
    list.style.setProperty("--card", `${width}px`);
  }

  function layout() {
    frame = 0;
    if (store.state.route.view !== "grid") return;
    if (!shape.width) measure(); // reading layout while scrolling is slow
    const { visible } = store.state;
    const rows = Math.ceil(visible.length / shape.columns);
    const height = `${rows * shape.height}px`;
    if (list.style.getPropertyValue("height") !== height) list.style.setProperty("height", height);
    const top = list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor((-top - MARGIN * innerHeight) / shape.height));
    const last = Math.min(rows, Math.ceil((-top + (1 + MARGIN) * innerHeight) / shape.height));
    show(visible, first * shape.columns, Math.min(visible.length, last * shape.columns));
  }

  /** True while scrolling is too fast to see posters; they are loaded when it slows down. */
  function scrollsFast() {
    const fast = Math.abs(scrollY - lastScroll) > innerHeight / 4;
    lastScroll = scrollY;
    clearTimeout(timer);
    if (fast) timer = setTimeout(schedule, 80);
    return fast;
  }

  function show(visible, from, to) {
    const fast = scrollsFast();
    const wanted = new Set(visible.slice(from, to));
    if (!fast) pager.need([...wanted]);
    const focused = document.activeElement && document.activeElement.closest(".cell");
    for (const [id, node] of nodes) {
      const at = node === focused ? visible.indexOf(id) : -1; // the focused node stays
      if (at >= 0) place(node, at, visible.length);
      if (at >= 0 || wanted.has(id)) continue;
      nodes.delete(id);
      card.stop(node);
      node.remove();
      spare.push(node);
    }
    spare.length = Math.min(spare.length, 60);
    const fresh = [];
    for (let at = from; at < to; at += 1) {
      const id = visible[at];
      let node = nodes.get(id);
      if (!node) {
        node = spare.pop() || card.create();
        card.update(node, store.cardOrRow(id), fast);
        nodes.set(id, node);
        fresh.push(node);
      } else if (node.late && !fast) {
        card.update(node, store.cardOrRow(id));
      }
      place(node, at, visible.length);
    }
    list.append(...fresh);
    sort(from, to, visible);
    if (focused && focused.isConnected && document.activeElement === document.body) focused.parts.link.focus({ preventScroll: true });
    mark(store.state.selected);
  }

  /** Keep the order of nodes equal to the order on the screen, for screen readers and the Tab key. */
  function sort(from, to, visible) {
    let previous = null;
    for (let at = from; at < to; at += 1) {
      const node = nodes.get(visible[at]);
      if (node.previousElementSibling !== previous) list.insertBefore(node, previous ? previous.nextSibling : list.firstChild);
      previous = node;
    }
  }

  function place(node, at, total) {
    const x = (at % shape.columns) * (shape.width + shape.gap);
    const y = Math.floor(at / shape.columns) * shape.height;
    const transform = `translate(${x}px, ${y}px)`;
    if (node.style.getPropertyValue("transform") !== transform) node.style.setProperty("transform", transform);
    if (node.getAttribute("aria-posinset") !== String(at + 1)) node.setAttribute("aria-posinset", at + 1);
    if (node.getAttribute("aria-setsize") !== String(total)) node.setAttribute("aria-setsize", total);
  }

  function refresh(id) {
    const node = nodes.get(id);
    const clip = store.card(id);
    if (node && clip) card.update(node, clip);
  }

  /** Mark the selected card. Tab reaches only that one; the arrow keys reach the others. */
  function mark(selected) {
    const { visible } = store.state;
    const home = visible.includes(selected) ? selected : visible[0];
    for (const [id, node] of nodes) {
      node.classList.toggle("selected", id === selected);
      node.parts.link.tabIndex = id === home ? 0 : -1;
    }
  }

  /** Select a clip, scroll to it and focus it. */
  function go(id) {
    if (id === null) return;
    store.select(id);
    const at = store.state.visible.indexOf(id);
    const top = list.getBoundingClientRect().top + Math.floor(at / shape.columns) * shape.height;
    const head = find("bar").getBoundingClientRect().bottom;
    if (top < head + 8) scrollBy(0, top - head - 16);
    else if (top + shape.height > innerHeight) scrollBy(0, top + shape.height - innerHeight + 8);
    layout();
    const node = nodes.get(id);
    if (node) node.parts.link.focus({ preventScroll: true });
  }

  function move(by) { go(store.neighbour(store.state.selected === null ? 0 : by)); }
  const row = (by) => move(by * shape.columns);
  const toggle = () => { if (nodes.has(store.state.selected)) card.toggle(nodes.get(store.state.selected)); };

  function updateAges() {
    for (const id of nodes.keys()) refresh(id);
  }

  function empty() {
    const box = find("empty");
    const { head, visible, order } = store.state;
    box.hidden = head === null || visible.length > 0;
    if (box.hidden) return;
    if (order.length) return void fill(box, h("p", {}, "No clip matches this filter."));
    fill(box, h("p", { class: "empty-title" }, "No clips yet"),
      h("p", {}, "Declare a clip in ", h("code", {}, "clipform.yaml"), ". It appears here when you save."),
      h("pre", {}, "clips:\n  sunrise:\n    prompt: A slow push-in over misty mountains at sunrise"));
  }

  function enter() {
    layout();
    scrollTo(0, savedScroll);
    layout();
    const node = nodes.get(store.state.selected);
    if (node) node.parts.link.focus({ preventScroll: true });
  }

  function exit() {
    savedScroll = scrollY;
    nodes.forEach((node) => card.stop(node));
  }

  return { start, enter, exit, move, row, toggle, go };
})();
