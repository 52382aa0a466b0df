"use strict";
// The large videos of the clip page: the picked take, all takes side by side, or the previous and the new version. They
// play in sync, under one set of controls.

Gallery.stage = (() => {
  const { h, fill, foreign, media, button, icon, calm } = Gallery.dom;
  const { money, exact, age } = Gallery.format;
  const { store } = Gallery;
  let parts = null;
  let videos = null; // the synced videos
  let signature = ""; // of the current tiles, so that unchanged videos keep playing
  let modes = [];
  let mode = null;
  let muted = true;
  let pick = () => {};

  /** Return the view modes of a clip: name, label, and tiles. */
  function modesOf(detail) {
    const { take: current, media: shown, price } = Gallery.card.current(detail);
    const available = [];
    const looked = current && current.approval && current.approval.seen;
    const { before, previous, card } = detail;
    if (before && before.shown && card.since === "changed") {
      available.push({ name: "compare", label: "Before / after", tiles: [{ title: `Before: ${store.state.head.since.label}`, media: before.shown, take: null }, { title: "After", media: shown, take: current, price }] });
    } else if (!before && previous && previous.media) {
      available.push({ name: "compare", label: "Before / after", tiles: [{ title: "Previous version", media: previous.media, take: previous }, { title: "Current version", media: shown, take: current, price }] });
    }
    if (detail.takes.length > 1) {
      available.push({ name: "takes", label: `Takes (${detail.takes.length})`, tiles: detail.takes.map((take) => ({ title: `Take ${take.take}`, media: take.media, take, choice: true })) });
    }
    const differs = looked && !shown && !(!card.shown && current.draft && current.draft.sha256 === looked.sha256); // else the picked take shows it
    if (differs) available.push({ name: "review", label: "To approve", tiles: [{ title: Gallery.approval.title(current.approval), media: looked, take: current, price }] });
    const pair = Gallery.versions.tiles(detail);
    if (pair) available.unshift({ name: "versions", label: "Versions", tiles: pair });
    available.push({ name: "single", label: detail.takes.length > 1 ? "Picked" : "Clip", tiles: [single(current, shown, card, price)] });
    return available;
  }

  /** Return the tile of the picked take: its video, else the one before, else its draft. */
  function single(take, shown, card, price) {
    const draft = take && take.draft;
    const title = shown || !(card.shown || draft) ? "" : card.shown ? "Previous version" : "Draft";
    return { title, media: shown || card.shown || draft, take, price };
  }

  function build(node, onPick) {
    pick = onPick;
    const toggle = button("", { class: "icon-button round", "aria-label": "Play", "aria-keyshortcuts": "Space", on: { click: () => videos && videos.toggle() } }, icon("play"));
    const sound = button("", { class: "icon-button", "aria-label": "Sound on", on: { click: () => mute(!muted) } }, icon("muted"));
    const range = h("input", { type: "range", class: "scrub", min: "0", max: "1", step: "0.01", value: "0", "aria-label": "Time in the clip", on: { input: () => videos && videos.seek(Number(range.value)) } });
    const time = h("output", { class: "time" });
    const tabs = h("div", { class: "segmented", role: "group", "aria-label": "Compare" });
    const tiles = h("div", { class: "tiles" });
    parts = { toggle, sound, range, time, tabs, tiles, controls: h("div", { class: "clip-controls" }, toggle, range, time, sound, tabs) };
    fill(node, tiles, parts.controls);
  }

  /** Show a clip; `first`: in the first of its modes, which two chosen versions are. */
  function show(detail, { fresh, first = false }) {
    modes = modesOf(detail);
    if (first || fresh || !modes.some((each) => each.name === mode)) mode = modes[0].name;
    draw(detail.card, fresh);
  }

  function draw(card, fresh) {
    const current = modes.find((each) => each.name === mode);
    const next = JSON.stringify([card.id, mode, current.tiles.map((tile) => [tile.title, tile.media ? tile.media.sha256 : absence(tile, card)])]);
    fill(parts.tabs, modes.length < 2 ? [] : modes.map((each) => button(each.label, { class: "segment", "aria-pressed": String(each.name === mode), on: { click: () => choose(each.name, card) } })));
    parts.tabs.hidden = modes.length < 2;
    if (next === signature) {
      [...parts.tiles.children].forEach((node, index) => node.caption(current.tiles[index]));
      return;
    }
    signature = next;
    const play = videos && !fresh ? videos.playing : !calm();
    if (videos) videos.close();
    const nodes = current.tiles.map((tile) => tileNode(tile, card));
    fill(parts.tiles, nodes);
    parts.tiles.dataset.count = String(nodes.length);
    parts.tiles.style.setProperty("--count", String(Math.min(nodes.length, 4)));
    videos = new Gallery.SyncedVideos(nodes.map((node) => node.video).filter(Boolean), showTime);
    parts.controls.classList.toggle("silent", !current.tiles.some((tile) => tile.media && tile.media.audio));
    parts.toggle.disabled = !nodes.some((node) => node.video);
    parts.range.disabled = parts.toggle.disabled;
    mute(muted);
    showTime(0, 0, false);
    if (play) videos.play();
  }

  function tileNode(tile, card) {
    const source = tile.media ? media(tile.media.video) : null;
    const video = source && h("video", { class: "tile-video", playsinline: true, preload: "auto", poster: media(tile.media.poster), tabindex: "-1", "aria-label": `${card.id} ${tile.title}`.trim() });
    const aspect = tile.media && tile.media.width ? tile.media.width / tile.media.height : ratio(card.ratio);
    const frame = h("div", { class: "tile-frame" }, video || placeholder(tile, card));
    frame.style.setProperty("--ratio", String(aspect));
    if (video) {
      video.muted = true;
      video.src = source;
      video.addEventListener("click", () => videos.toggle());
      video.addEventListener("loadeddata", () => video.removeAttribute("poster")); // the frame itself is sharper
      video.addEventListener("loadedmetadata", () => { if (video.videoWidth) frame.style.setProperty("--ratio", String(video.videoWidth / video.videoHeight)); });
      video.addEventListener("error", () => { if (video.getAttribute("src")) video.replaceWith(placeholder(tile, card)); });
    }
    const caption = h("figcaption", { class: "tile-caption" });
    const node = h("figure", { class: "tile" }, frame, caption);
    node.video = video;
    node.caption = (next) => writeCaption(caption, node, next, card);
    node.caption(tile);
    return node;
  }

  function ratio(text) {
    const [wide, high] = (text || "").split(":").map(Number);
    return wide && high ? wide / high : 16 / 9;
  }

  /** Return why a tile has no video: a state and a text. */
  const absence = (tile, card) => [tile.take && tile.take.state !== "ready" ? tile.take.state : card.state, tile.reason || (tile.take && tile.take.attempt) || card.detail || card.sentence];

  function placeholder(tile, card) {
    const [state, text] = absence(tile, card);
    return h("div", { class: "tile-slate" }, h("p", { class: `state is-${state}` }, state), foreign("p", { class: "slate-text" }, text));
  }

  function writeCaption(caption, node, tile, card) {
    const { take } = tile;
    node.classList.toggle("picked", Boolean(tile.choice && take.picked));
    const facts = take ? [take.cost ? money(take.cost) : take.media ? "" : tile.price ?? money(take.estimate), take.created ? age(take.created, store.now()) : "", take.seed === null || take.seed === undefined ? "" : `seed ${take.seed}`] : [];
    const choice = tile.choice && (take.picked
      ? h("span", { class: "chosen" }, icon("check"), "picked")
      : Gallery.source.acts() && button("", { class: "button small", "data-key": `pick-${take.take}`, "aria-keyshortcuts": take.take < 10 ? String(take.take) : null, on: { click: () => pick(card.id, take.take) } }, `Pick take ${take.take}`));
    fill(caption, tile.title && h("strong", {}, tile.title), h("span", { class: "tile-facts" }, facts.filter(Boolean).join(" · ")), choice,
      take && take.mismatch && foreign("span", { class: "mismatch" }, take.mismatch));
  }

  function showTime(time, seconds, playing) {
    parts.range.max = String(seconds || 1);
    parts.range.value = String(time);
    parts.range.setAttribute("aria-valuetext", `${exact(time)} of ${exact(seconds)}`);
    fill(parts.time, `${exact(time)} / ${exact(seconds)}`);
    if (parts.toggle.dataset.playing === String(playing)) return;
    parts.toggle.dataset.playing = String(playing);
    parts.toggle.setAttribute("aria-label", playing ? "Pause" : "Play");
    fill(parts.toggle, icon(playing ? "pause" : "play"));
  }

  function mute(next) {
    muted = next;
    if (videos) videos.mute(muted);
    fill(parts.sound, icon(muted ? "muted" : "sound"));
    parts.sound.setAttribute("aria-label", muted ? "Sound on" : "Sound off");
  }

  function choose(name, card) {
    mode = name;
    draw(card, false);
    const pressed = parts.tabs.querySelector("[aria-pressed=true]");
    if (pressed) pressed.focus();
  }

  function cycle(card) {
    const index = modes.findIndex((each) => each.name === mode);
    if (modes.length > 1) choose(modes[(index + 1) % modes.length].name, card);
  }

  function close() {
    if (videos) videos.close();
    videos = null;
    signature = "";
  }

  return { build, show, cycle, close, toggle: () => videos && videos.toggle(), nudge: (seconds) => videos && videos.seek(videos.time + seconds), frame: (by) => videos && videos.nudge(by) };
})();
