"use strict";
// The time line under the film: each clip as wide as it is long. Only what is near the window is in the page.

Gallery.strip = (() => {
  const { h, fill, foreign, calm } = Gallery.dom;
  const { name, clock } = Gallery.words;
  const { store } = Gallery;
  const LEAST = 14; // pixels a second: less than that is no picture any more
  const MOST = 72;
  let parts = null;
  let shots = [];
  let total = 0;
  let scale = MOST;
  let nodes = new Map(); // which shot -> its node
  let asked = 0;
  let stood = [0, 0, false];

  function build(seek) {
    const head = h("div", { class: "playhead", "aria-hidden": "true" });
    const ruler = h("div", { class: "ruler", "aria-hidden": "true" });
    const track = h("ol", { class: "track", "aria-label": "Clips of the film" });
    const inner = h("div", { class: "strip-inner" }, ruler, track, head);
    const box = h("div", { class: "strip", tabindex: "-1" }, inner);
    const to = (event) => seek(Math.max(0, (event.clientX - inner.getBoundingClientRect().left) / scale));
    let scrubbing = false;
    inner.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      scrubbing = true;
      inner.setPointerCapture(event.pointerId);
      to(event);
    });
    inner.addEventListener("pointermove", (event) => { if (scrubbing) to(event); });
    for (const end of ["pointerup", "pointercancel"]) inner.addEventListener(end, () => { scrubbing = false; });
    inner.addEventListener("click", to); // a touch: a drag scrolls, a tap seeks
    box.addEventListener("scroll", later, { passive: true });
    new ResizeObserver(() => {
      show(shots, total);
      stand(...stood);
    }).observe(box);
    parts = { head, ruler, track, inner, box };
    return box;
  }

  const later = () => { asked ||= requestAnimationFrame(lay); };

  function show(newShots, newTotal) {
    shots = newShots;
    total = newTotal;
    scale = Math.min(MOST, Math.max(LEAST, parts.box.clientWidth / (total || 1)));
    parts.inner.style.setProperty("width", `${Math.ceil(total * scale)}px`);
    nodes.forEach((node) => node.remove());
    nodes = new Map();
    lay();
  }

  function lay() {
    asked = 0;
    if (!parts.box.clientWidth) return;
    const from = (parts.box.scrollLeft - parts.box.clientWidth / 2) / scale;
    const to = (parts.box.scrollLeft + parts.box.clientWidth * 1.5) / scale;
    const near = (at) => shots[at] && shots[at].start + shots[at].seconds > from && shots[at].start < to;
    for (const [at, node] of nodes) {
      if (near(at)) continue;
      node.remove();
      nodes.delete(at);
    }
    let at = firstAfter(from);
    for (; at < shots.length && near(at); at += 1) if (!nodes.has(at)) nodes.set(at, parts.track.appendChild(segment(at)));
    ticks(from, to);
  }

  /** The first shot that ends after a time, by halving: the list may be long. */
  function firstAfter(time) {
    let low = 0;
    let high = shots.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shots[middle].start + shots[middle].seconds > time) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  function segment(at) {
    const shot = shots[at];
    const card = store.card(shot.id);
    const image = shot.poster && h("img", { src: shot.poster, alt: "", loading: "lazy", decoding: "async", draggable: "false" });
    if (image) image.addEventListener("error", () => image.remove());
    const node = h("li", { class: at === stood[1] ? "shot on" : "shot", title: shot.id, "data-id": shot.id, "data-state": card ? card.state : "" },
      image, foreign("span", { class: "shot-name" }, name(shot.id).main),
      card && card.state !== "ready" && h("span", { class: `shot-mark is-${card.state}`, title: card.state }));
    node.style.setProperty("left", `${shot.start * scale}px`);
    node.style.setProperty("width", `${Math.max(2, shot.seconds * scale - 2)}px`);
    return node;
  }

  function ticks(from, to) {
    const every = [1, 2, 5, 10, 15, 30, 60].find((seconds) => seconds * scale >= 64) || 60;
    const marks = [];
    for (let second = Math.max(0, Math.floor(from / every) * every); second <= Math.min(total, to); second += every) {
      const mark = h("span", { class: "tick" }, clock(second));
      mark.style.setProperty("left", `${second * scale}px`);
      marks.push(mark);
    }
    fill(parts.ruler, marks);
  }

  /** Where the film stands; the line follows while it plays. */
  function stand(time, current, playing) {
    stood = [time, current, playing];
    const x = time * scale;
    parts.head.style.setProperty("transform", `translateX(${x}px)`);
    for (const [at, node] of nodes) node.classList.toggle("on", at === current);
    const { scrollLeft, clientWidth } = parts.box;
    if (x >= scrollLeft && x <= scrollLeft + clientWidth - 24) return;
    parts.box.scrollTo({ left: x - clientWidth * (playing ? 0.1 : 0.5), behavior: playing && !calm() ? "smooth" : "instant" });
  }

  return { build, show, stand };
})();
