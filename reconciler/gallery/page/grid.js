"use strict";
// The grid: only the rows near the screen are in the page, so a thousand clips cost what thirty do. Each card keeps its
// node while it stays near; a node that leaves is used again for another clip.

Gallery.grid = (() => {
  const { find, fill, h } = Gallery.dom;
  const { store, card } = Gallery;
  const NEAR = 1; // screens above and below that are kept ready
  const nodes = new Map(); // id -> its node
  const spare = [];
  let list;
  let shape = { columns: 1, width: 0, height: 0, gap: 0 };
  let ratio = 16 / 9; // of the frames: that of most pictures here
  let asked = 0;
  let before = 0; // where the last frame stood
  let calmer = 0;
  let scrolled = 0; // where the grid was left

  function start() {
    list = find("grid");
    addEventListener("scroll", later, { passive: true });
    new ResizeObserver(() => {
      shape.width = 0;
      later();
    }).observe(find("main"));
    store.on("list", () => {
      frames();
      empty();
      later();
    });
    store.on("head", empty);
    store.on("card", refresh);
    store.on("select", mark);
    setInterval(ages, 30000);
  }

  const later = () => { asked ||= requestAnimationFrame(lay); };

  /** Most pictures fill their frame, whatever a project's ratio is; the others stand on the mat. */
  function frames() {
    const votes = new Map();
    for (const id of store.state.visible) {
      const { shown, ratio: stated } = store.card(id);
      const [wide, high] = shown && shown.width ? [shown.width, shown.height] : (stated || "16:9").split(":").map(Number);
      const found = (Math.min(2.4, Math.max(0.5625, wide / high || 16 / 9))).toFixed(1);
      votes.set(found, (votes.get(found) || 0) + 1);
    }
    const most = [...votes].sort((one, other) => other[1] - one[1])[0];
    const named = { "0.6": 9 / 16, "0.8": 3 / 4, "1.3": 4 / 3, "1.8": 16 / 9, "2.3": 21 / 9 };
    if (most) ratio = named[most[0]] || Number(most[0]);
    list.style.setProperty("--frame", String(ratio));
    shape.width = 0;
  }

  /** Columns that fit, and how high a row is: the picture, and three lines of text. */
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

  function lay() {
    asked = 0;
    if (store.state.route.view !== "grid") return;
    if (!shape.width) measure(); // not while scrolling
    const { visible } = store.state;
    const rows = Math.ceil(visible.length / shape.columns);
    const height = `${rows * shape.height}px`;
    if (list.style.getPropertyValue("height") !== height) list.style.setProperty("height", height);
    const top = list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor((-top - NEAR * innerHeight) / shape.height));
    const last = Math.min(rows, Math.ceil((-top + (1 + NEAR) * innerHeight) / shape.height));
    show(visible, first * shape.columns, Math.min(visible.length, last * shape.columns));
  }

  /** Faster than anybody looks: the pictures come when it slows down. */
  function racing() {
    const fast = Math.abs(scrollY - before) > innerHeight / 4;
    before = scrollY;
    clearTimeout(calmer);
    if (fast) calmer = setTimeout(later, 80);
    return fast;
  }

  function show(visible, from, to) {
    const fast = racing();
    const wanted = new Set(visible.slice(from, to));
    const focused = document.activeElement && document.activeElement.closest(".cell");
    for (const [id, node] of nodes) {
      const at = node === focused ? visible.indexOf(id) : -1; // a node under the keyboard stays
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
        card.update(node, store.card(id), fast);
        nodes.set(id, node);
        fresh.push(node);
      } else if (node.late && !fast) {
        card.update(node, store.card(id));
      }
      place(node, at, visible.length);
    }
    list.append(...fresh);
    sort(from, to, visible);
    if (focused && focused.isConnected && document.activeElement === document.body) focused.parts.link.focus({ preventScroll: true });
    mark(store.state.selected);
  }

  /** The order in the page is the order on the screen, for a screen reader and the Tab key. */
  function sort(from, to, visible) {
    let before = null;
    for (let at = from; at < to; at += 1) {
      const node = nodes.get(visible[at]);
      if (node.previousElementSibling !== before) list.insertBefore(node, before ? before.nextSibling : list.firstChild);
      before = node;
    }
  }

  function place(node, at, total) {
    const x = (at % shape.columns) * (shape.width + shape.gap);
    const y = Math.floor(at / shape.columns) * shape.height;
    const where = `translate(${x}px, ${y}px)`;
    if (node.style.getPropertyValue("transform") !== where) node.style.setProperty("transform", where);
    if (node.getAttribute("aria-posinset") !== String(at + 1)) node.setAttribute("aria-posinset", at + 1);
    if (node.getAttribute("aria-setsize") !== String(total)) node.setAttribute("aria-setsize", total);
  }

  function refresh(id) {
    const node = nodes.get(id);
    const found = store.card(id);
    if (node && found) card.update(node, found);
  }

  /** Tab reaches one card, the selected one; the other cards are reached by arrows. */
  function mark(selected) {
    const { visible } = store.state;
    const home = visible.includes(selected) ? selected : visible[0];
    for (const [id, node] of nodes) {
      node.classList.toggle("selected", id === selected);
      node.parts.link.tabIndex = id === home ? 0 : -1;
    }
  }

  /** Select a clip and bring it to the screen, with the keyboard on it. */
  function go(id) {
    if (id === null) return;
    store.select(id);
    const at = store.state.visible.indexOf(id);
    const top = list.getBoundingClientRect().top + Math.floor(at / shape.columns) * shape.height;
    const head = find("bar").getBoundingClientRect().bottom;
    if (top < head + 8) scrollBy(0, top - head - 16);
    else if (top + shape.height > innerHeight) scrollBy(0, top + shape.height - innerHeight + 8);
    lay();
    const node = nodes.get(id);
    if (node) node.parts.link.focus({ preventScroll: true });
  }

  function move(by) { go(store.neighbour(store.state.selected === null ? 0 : by)); }
  const row = (by) => move(by * shape.columns);
  const toggle = () => { if (nodes.has(store.state.selected)) card.toggle(nodes.get(store.state.selected)); };

  function ages() {
    for (const id of nodes.keys()) refresh(id);
  }

  function empty() {
    const box = find("empty");
    const { head, visible, order } = store.state;
    box.hidden = head === null || visible.length > 0;
    if (box.hidden) return;
    if (order.length) return void fill(box, h("p", {}, "No clip matches this filter."));
    fill(box, h("p", { class: "empty-title" }, "No clips yet"),
      h("p", {}, "Declare one in ", h("code", {}, "clipform.yaml"), "; it appears here when you save."),
      h("pre", {}, "clips:\n  sunrise:\n    prompt: A slow push-in over misty mountains at sunrise"));
  }

  function enter() {
    lay();
    scrollTo(0, scrolled);
    lay();
    const node = nodes.get(store.state.selected);
    if (node) node.parts.link.focus({ preventScroll: true });
  }

  function exit() {
    scrolled = scrollY;
    nodes.forEach((node) => card.stop(node));
  }

  return { start, enter, exit, move, row, toggle, go };
})();
