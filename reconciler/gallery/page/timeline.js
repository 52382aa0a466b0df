"use strict";
// The timeline under the film: the width of each clip is its duration. Only clips near the viewport are in the page.

Gallery.timeline = (() => {
  const { h, fill, foreign, calm } = Gallery.dom;
  const { clock } = Gallery.format;
  const { store } = Gallery;
  const MIN_SCALE = 14; // pixels per second; with less, posters are not recognisable
  const MAX_SCALE = 72;
  let parts = null;
  let shots = [];
  let total = 0;
  let scale = MAX_SCALE;
  let nodes = new Map(); // index of a shot -> its node
  let frame = 0;
  let position = [0, 0, false]; // time, current shot, playing

  function build(seek) {
    const head = h("div", { class: "playhead", "aria-hidden": "true" });
    const ruler = h("div", { class: "ruler", "aria-hidden": "true" });
    const track = h("ol", { class: "track", "aria-label": "Clips of the film" });
    const inner = h("div", { class: "strip-inner" }, ruler, track, head);
    const box = h("div", { class: "strip", tabindex: "-1" }, inner);
    const seekTo = (event) => seek(Math.max(0, (event.clientX - inner.getBoundingClientRect().left) / scale));
    let scrubbing = false;
    inner.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      scrubbing = true;
      inner.setPointerCapture(event.pointerId);
      seekTo(event);
    });
    inner.addEventListener("pointermove", (event) => { if (scrubbing) seekTo(event); });
    for (const end of ["pointerup", "pointercancel"]) inner.addEventListener(end, () => { scrubbing = false; });
    inner.addEventListener("click", seekTo); // on a touch screen a drag scrolls and a tap seeks
    box.addEventListener("scroll", schedule, { passive: true });
    new ResizeObserver(() => {
      show(shots, total);
      moveTo(...position);
    }).observe(box);
    parts = { head, ruler, track, inner, box };
    return box;
  }

  const schedule = () => { frame ||= requestAnimationFrame(layout); };

  function show(newShots, newTotal) {
    shots = newShots;
    total = newTotal;
    scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, parts.box.clientWidth / (total || 1)));
    parts.inner.style.setProperty("width", `${Math.ceil(total * scale)}px`);
    nodes.forEach((node) => node.remove());
    nodes = new Map();
    layout();
  }

  function layout() {
    frame = 0;
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

  /** Return the first shot that ends after a time, by binary search: the list may be long. */
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
    const node = h("li", { class: at === position[1] ? "shot on" : "shot", title: shot.label || shot.id, "data-id": shot.id, "data-state": card ? card.state : "" },
      image, foreign("span", { class: "shot-name" }, Gallery.pieces.title(shot)),
      card && !shot.label && card.state !== "ready" && h("span", { class: `shot-mark is-${card.state}`, title: card.state }));
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

  /** Move the playhead; the timeline scrolls with it. */
  function moveTo(time, current, playing) {
    position = [time, current, playing];
    const x = time * scale;
    parts.head.style.setProperty("transform", `translateX(${x}px)`);
    for (const [at, node] of nodes) node.classList.toggle("on", at === current);
    const { scrollLeft, clientWidth } = parts.box;
    if (x >= scrollLeft && x <= scrollLeft + clientWidth - 24) return;
    parts.box.scrollTo({ left: x - clientWidth * (playing ? 0.1 : 0.5), behavior: playing && !calm() ? "smooth" : "instant" });
  }

  return { build, show, moveTo };
})();
