"use strict";
// Before and after, for a report with a comparison: the two versions of each changed clip, side by side and in sync.

Gallery.changes = (() => {
  const { h, fill, find, foreign, media, button, icon, calm } = Gallery.dom;
  const { name, money, count, day } = Gallery.format;
  const { store, source, facts } = Gallery;
  const ORDER = { changed: 0, renamed: 1, added: 2, removed: 3 };
  let videosOf = new Map(); // article -> its synced videos
  let observer = null;

  function start() {
    store.on("head", ({ since }) => { find("nav-changes").hidden = !since; });
    store.on("list", () => { if (store.state.route.view === "changes") enter(); });
  }

  const compared = () => store.state.visible.map(store.card).filter((card) => card && card.since in ORDER);

  function enter() {
    exit();
    const { since } = store.state.head || {};
    const cards = compared();
    observer = new IntersectionObserver((all) => all.forEach(({ target, isIntersecting }) => (isIntersecting ? load(target) : pause(target))), { rootMargin: "50% 0px" });
    fill(find("view-changes"), since && heading(since), cards.length ? cards.map(article) : h("div", { class: "empty" }, h("p", {}, since ? "No clip differs." : "This report has no comparison.")));
    const target = cards.some((card) => card.id === store.state.selected) && find("view-changes").querySelector(`[data-id="${CSS.escape(store.state.selected)}"]`);
    if (target) target.scrollIntoView({ block: "center" });
    else scrollTo(0, 0);
  }

  function heading(since) {
    const counts = [[since.changed, "changed"], [since.renamed, "renamed"], [since.added, "added"], [since.removed, "removed"], [since.same, "the same"]];
    return h("header", { class: "changes-head" }, h("h2", { tabindex: "-1", id: "changes-title" }, since.kind === "plan" ? "What this plan would change: " : "Since ", h("bdi", {}, since.label)),
      h("p", { class: "quiet" }, [since.time ? day(since.time) : "", since.commit ? since.commit.slice(0, 10) : "", counts.filter(([number]) => number).map(([number, group]) => `${count(number, "clip")} ${group}`).join(", ")].filter(Boolean).join(" · ")));
  }

  function article(card) {
    const title = name(card.id);
    const body = h("div", { class: "change-body" });
    const node = h("article", { class: "change", "data-id": card.id, "data-since": card.since },
      h("h3", {}, h("a", { href: Gallery.card.address(card.id) }, h("bdi", {}, title.main), title.variant && h("span", { class: "variant", dir: "auto" }, title.variant)), h("span", { class: `since is-${card.since}` }, card.since)), body);
    node.body = body;
    observer.observe(node);
    return node;
  }

  /** Load and play the videos of an article near the viewport. */
  async function load(node) {
    if (videosOf.has(node)) return;
    videosOf.set(node, null);
    const detail = await source.detail(node.dataset.id).catch(() => null);
    if (!detail || !videosOf.has(node) || !node.isConnected) return;
    const { card, before } = detail;
    const removed = card.since === "removed";
    const after = Gallery.card.current(detail);
    const tiles = [before && tile("Before", before.shown || (removed ? card.shown : null), before.note || "no earlier video", before.cost ? money(before.cost) : ""),
      !removed && tile(before ? "After" : "New", after.media, card.state === "ready" ? "no video to show" : after.reason, after.price)].filter(Boolean);
    const range = h("input", { type: "range", class: "scrub", min: "0", max: "1", step: "0.01", value: "0", "aria-label": `Time in ${card.id}`, on: { input: () => videos.seek(Number(range.value)) } });
    const toggle = button("", { class: "icon-button round", "aria-label": `Play ${card.id}`, on: { click: () => videos.toggle() } }, icon("play"));
    const videos = new Gallery.SyncedVideos(tiles.map((each) => each.video).filter(Boolean), (time, seconds, playing) => {
      range.max = String(seconds || 1);
      range.value = String(time);
      if (toggle.dataset.playing === String(playing)) return;
      toggle.dataset.playing = String(playing);
      toggle.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${card.id}`);
      fill(toggle, icon(playing ? "pause" : "play"));
    });
    videosOf.set(node, videos);
    const row = h("div", { class: "tiles", "data-count": String(tiles.length) }, tiles);
    row.style.setProperty("--count", "2");
    const playable = tiles.some((each) => each.video);
    fill(node.body, row, playable && h("div", { class: "clip-controls" }, toggle, range), card.pieces.length || (before && before.pieces.length) ? Gallery.pieces.section(detail) : facts.prompt(detail), facts.changes(detail));
    if (playable && !calm()) videos.play();
  }

  function pause(node) {
    const videos = videosOf.get(node);
    if (videos) videos.pause();
  }

  function tile(title, shown, placeholder, price) {
    const address = shown && media(shown.video);
    const video = address && h("video", { class: "tile-video", playsinline: true, preload: "auto", poster: media(shown.poster), tabindex: "-1", "aria-label": title });
    if (video) {
      video.muted = true;
      video.src = address;
    }
    const frame = h("div", { class: "tile-frame" }, video || h("div", { class: "tile-slate" }, foreign("p", { class: "slate-text" }, placeholder)));
    if (shown && shown.width) frame.style.setProperty("--ratio", String(shown.width / shown.height));
    const node = h("figure", { class: "tile" }, frame, h("figcaption", { class: "tile-caption" }, h("strong", {}, title), h("span", { class: "tile-facts" }, price)));
    node.video = video;
    return node;
  }

  /** Play or pause the first pair in the viewport. */
  function toggle() {
    for (const [node, videos] of videosOf) {
      const { top, bottom } = node.getBoundingClientRect();
      if (videos && bottom > 120 && top < innerHeight) return void videos.toggle();
    }
  }

  /** Focus the next or previous pair. */
  function move(by) {
    const links = [...find("view-changes").querySelectorAll(".change h3 a")];
    const index = links.indexOf(document.activeElement);
    const next = links[Math.min(links.length - 1, Math.max(0, index + by))];
    if (!next) return;
    next.focus();
    next.scrollIntoView({ block: "center" });
    store.select(next.closest(".change").dataset.id);
  }

  function exit() {
    if (observer) observer.disconnect();
    for (const videos of videosOf.values()) if (videos) videos.close();
    videosOf = new Map();
    fill(find("view-changes"));
  }

  return { start, enter, exit, toggle, move };
})();
