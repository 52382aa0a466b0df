"use strict";
// A card of the grid: poster, name, state, and three short lines. A change of a clip updates its nodes in place.

Gallery.card = (() => {
  const { h, write, foreign, sentences, media, calm } = Gallery.dom;
  const { money, total, name, clock, count, span, age, plainly, others, GENERATES } = Gallery.format;
  const { store } = Gallery;
  const NEARLY = 0.03; // 864 × 496 is called 16:9
  let playing = null; // the one card that plays

  const address = (id) => `#/clip/${encodeURIComponent(id)}`;

  /** Create the nodes of a card; `update` fills them. */
  function create() {
    const parts = {
      image: h("img", { class: "poster", alt: "", loading: "lazy", decoding: "async" }),
      slate: foreign("span", { class: "slate" }, ""),
      length: h("span", { class: "tag length" }),
      takes: h("span", { class: "tag takes" }),
      bar: h("progress", { class: "progress", max: "100", "aria-label": "Progress" }),
      main: foreign("span", { class: "main" }, ""),
      variant: foreign("span", { class: "variant" }, ""),
      state: h("span", { class: "state" }),
      model: foreign("span", { class: "maker" }, ""),
      cost: h("span", { class: "cost" }),
      note: foreign("span", { class: "note" }, ""),
      source: foreign("span", { class: "source" }, ""),
    };
    parts.frame = h("span", { class: "frame" }, parts.slate, parts.image, parts.length, parts.takes, parts.bar);
    parts.link = h("a", { class: "card" }, parts.frame,
      h("span", { class: "line first" }, h("span", { class: "name" }, parts.main, parts.variant), parts.state),
      h("span", { class: "line" }, parts.model, parts.cost),
      h("span", { class: "line" }, parts.note, parts.source));
    const node = h("li", { class: "cell" }, parts.link);
    parts.image.addEventListener("error", () => { parts.image.hidden = true; });
    parts.image.addEventListener("load", () => fit(parts.image, parts.image.naturalWidth, parts.image.naturalHeight));
    parts.link.addEventListener("pointerenter", () => hover(node));
    parts.link.addEventListener("pointerleave", () => leave(node));
    parts.link.addEventListener("focus", () => {
      store.select(node.dataset.id);
      if (parts.link.matches(":focus-visible")) hover(node);
    });
    parts.link.addEventListener("blur", () => leave(node));
    node.parts = parts;
    return node;
  }

  /** Write a clip into its nodes; `late`: without its poster, which a later update adds. */
  function update(node, card, late = false) {
    const { parts } = node;
    const title = name(card.id);
    node.dataset.id = card.id;
    node.dataset.state = card.state;
    parts.link.setAttribute("href", address(card.id));
    parts.link.title = [card.id, card.description || card.prompt].filter(Boolean).join("\n");
    write(parts.main, title.main);
    write(parts.variant, title.variant);
    write(parts.state, card.state);
    parts.state.className = `state is-${card.state}`;
    write(parts.model, card.pieces.length ? `film · ${count(card.pieces.length, "piece")}` : [card.provider, card.model].filter(Boolean).join(" · "));
    write(parts.cost, estimated(card) ? price(card) : card.cost ? money(card.cost) : "");
    parts.cost.classList.toggle("to-pay", Boolean(estimated(card)));
    write(parts.source, estimated(card) && card.state !== "failed" && card.estimate ? card.estimate.source : "");
    write(parts.note, note(card));
    write(parts.length, card.shown && card.shown.seconds ? clock(Math.round(card.shown.seconds)) : "");
    write(parts.takes, card.takes > 1 ? `${card.pick}/${card.takes}` : "");
    parts.takes.title = card.takes > 1 ? `take ${card.pick} of ${card.takes}` : "";
    poster(node, card, late);
    progress(parts.bar, card);
  }

  /** Return the price of all takes of a clip that the plan generates. */
  const price = ({ due, takes }) => (due.unpriced && takes === 1 ? "unpriced" : due.least ? money(due) : total(due));

  /** Return the newest version of a clip: its picked take, with the video or why there is none, and what
   * it cost or will cost with all takes. A card shows an older video as long as this one is not made. */
  function current({ card, takes }) {
    const take = takes.find((each) => each.picked) || takes[0];
    return { take, media: take ? take.media : null, reason: card.due ? "not made yet" : card.detail || card.sentence,
      price: card.due ? price(card) : card.cost ? money(card.cost) : "" };
  }

  /** True if the card shows what generating the clip would cost, not what it did cost. */
  const estimated = (card) => card.due && card.state !== "running";

  /** Return how many of a clip's takes the plan generates; empty if it has only one. */
  function takes(card) {
    const count = [card, ...card.also].filter(({ action }) => GENERATES.has(action)).length;
    return card.takes === 1 || !count ? "" : `${count === card.takes ? "" : `${count} of `}${card.takes} takes`;
  }

  function note(card) {
    if (card.running) return runningText(card.running);
    if (card.state === "ready" && card.also.length) return others(card);
    if (card.state === "ready") return card.mismatch || (card.created ? `${card.pieces.length ? "assembled" : "generated"} ${age(card.created, store.now())}` : card.sentence);
    return plainly(card.detail || card.sentence);
  }

  function runningText({ progress, elapsed, expected, phase }) {
    const status = progress === null || progress === undefined ? phase : `${Math.round(progress)} %`;
    return `${status} · ${span(elapsed || 0)}${expected ? ` of about ${span(expected)}` : ""}`;
  }

  function progress(bar, card) {
    bar.hidden = card.state !== "running";
    if (bar.hidden) return;
    const percent = card.running ? card.running.progress : null;
    if (percent === null || percent === undefined) bar.removeAttribute("value");
    else bar.value = percent;
  }

  function poster(node, card, late) {
    const { image, slate } = node.parts;
    node.late = late;
    const address = !late && card.shown ? media(card.shown.poster) : null;
    const words = card.prompt || card.sentence;
    if (slate.textContent !== words) sentences(slate, words);
    if (image.getAttribute("src") === address && image.hidden === (address === null)) return;
    stop(node);
    image.hidden = address === null;
    if (address) image.src = address;
    else image.removeAttribute("src");
  }

  /** Fill the frame with a picture of nearly its ratio: a thin stripe of background looks like a fault. */
  function fit(picture, width, height) {
    const { clientWidth, clientHeight } = picture;
    picture.classList.toggle("fills", Math.abs((width * clientHeight) / (height * clientWidth) - 1) < NEARLY);
  }

  function hover(node) {
    if (!calm()) play(node);
  }

  function leave(node) {
    if (!node.dataset.pinned) stop(node);
  }

  /** Play a card's clip in its frame, muted and looped; `pinned`: until `stop`. */
  function play(node, pinned = false) {
    const card = store.card(node.dataset.id);
    const shown = card && card.shown;
    const source = shown && (media(shown.preview) || media(shown.video));
    if (!source || (playing && playing.node === node)) return;
    if (playing) stop(playing.node);
    const video = h("video", { class: "moving", muted: true, loop: true, playsinline: true, tabindex: "-1", "aria-hidden": "true" });
    video.muted = true;
    video.src = source;
    video.addEventListener("loadedmetadata", () => fit(video, video.videoWidth, video.videoHeight));
    video.addEventListener("playing", () => video.classList.add("on"));
    video.addEventListener("error", () => stop(node));
    node.parts.image.after(video);
    playing = { node, video };
    if (pinned) node.dataset.pinned = "1";
    video.play().catch(() => {});
  }

  function stop(node) {
    if (!playing || playing.node !== node) return;
    playing.video.removeAttribute("src");
    playing.video.load(); // closes the connection
    playing.video.remove();
    delete node.dataset.pinned;
    playing = null;
  }

  function toggle(node) {
    if (playing && playing.node === node) stop(node);
    else play(node, true);
  }

  return { create, update, toggle, stop, address, price, takes, current, runningText };
})();
