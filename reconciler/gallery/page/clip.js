"use strict";
// The clip page: large videos, actions, and all facts about one clip.

Gallery.clip = (() => {
  const { h, fill, find, foreign, button, icon } = Gallery.dom;
  const { name, total, others } = Gallery.format;
  const { store, source, pager, stage, facts, messages } = Gallery;
  let parts = null;
  let current = null; // the id on the page
  let written = null; // the detail on the page
  let requests = 0; // numbers the requests, so that a late reply is ignored
  let open = new Set(); // the keys of the open <details>

  function start() {
    store.on("card", (id) => {
      if (id === current) {
        head();
        if (!running()) load();
      } else if (written && written.inputs.some((input) => input.clip === id)) write(written);
    });
    Gallery.prompt.start(() => { if (written) write(written); });
    store.on("load", () => { if (store.state.stale.has(current)) load(); });
    store.on("connection", (now) => { if (now === "live" && current !== null) load(); });
    store.on("list", () => {
      if (current === null) return;
      head();
      if (written) write(written); // it shows posters and links of other cards
    });
  }

  const running = () => { const card = store.card(current); return Boolean(card && card.running && card.running.phase !== "fetched"); };

  function build() {
    const title = h("h2", { class: "clip-name", id: "clip-name", tabindex: "-1" });
    const position = h("span", { class: "position" });
    parts = {
      title, position,
      back: h("a", { class: "icon-button", href: "#/", "aria-label": "Back" }, icon("back")),
      state: h("span", { class: "state" }),
      note: foreign("p", { class: "clip-note" }, ""),
      bar: h("progress", { class: "progress", max: "100", "aria-label": "Progress", hidden: true }),
      actions: h("div", { class: "clip-actions" }),
      stage: h("div", { class: "clip-stage" }),
      main: h("div", { class: "clip-main" }),
      side: h("aside", { class: "clip-side", "aria-label": "Facts" }),
    };
    const step = (by, label, iconName) => button("", { class: "icon-button", "aria-label": label, on: { click: () => neighbour(by) } }, icon(iconName));
    fill(find("view-clip"),
      h("header", { class: "clip-head" }, parts.back, h("div", { class: "clip-title" }, title, parts.state), parts.actions,
        h("div", { class: "clip-steps" }, step(-1, "Previous clip", "previous"), position, step(1, "Next clip", "next"))),
      parts.note, parts.bar,
      h("div", { class: "clip-body" }, h("div", { class: "clip-pictures" }, parts.stage, parts.main), parts.side));
    stage.build(parts.stage, choose);
  }

  function enter(id) {
    if (!parts) build();
    current = id;
    written = null;
    open = new Set();
    store.select(id);
    fill(parts.main);
    fill(parts.side);
    stage.close();
    pager.need([]);
    head();
    scrollTo(0, 0);
    parts.title.focus({ preventScroll: true });
    load();
  }

  function exit() {
    current = null;
    written = null;
    requests += 1;
    stage.close();
  }

  /** Show the card at once; the detail follows when it is loaded. */
  function head() {
    const card = store.cardOrRow(current);
    const title = name(current);
    fill(parts.title, h("bdi", {}, title.main), title.variant && h("span", { class: "variant", dir: "auto" }, title.variant));
    parts.title.title = current;
    parts.back.setAttribute("href", Gallery.main.home());
    if (!card) return;
    fill(parts.state, card.state);
    parts.state.className = `state is-${card.state}`;
    const note = card.running ? Gallery.card.runningText(card.running) : ["blocked", "failed"].includes(card.state) ? "" : [card.state === "ready" ? card.description : card.sentence, others(card)].filter(Boolean).join(" · ");
    fill(parts.note, note);
    parts.note.hidden = !note;
    parts.bar.hidden = card.state !== "running";
    const progress = card.running && card.running.progress;
    if (progress === null || progress === undefined) parts.bar.removeAttribute("value");
    else parts.bar.value = progress;
    const index = store.state.visible.indexOf(current);
    fill(parts.position, index < 0 ? "" : `${index + 1} / ${store.state.visible.length}`);
    actions(card);
  }

  function actions(card) {
    const focused = document.activeElement && document.activeElement.dataset.key;
    const buttons = [];
    if (source.acts() && card.apply) buttons.push(button("", { class: "button primary", "data-key": "apply", "aria-keyshortcuts": "a", on: { click: () => Gallery.dialogs.apply(card.id) } }, `Apply · ${total(card.apply)}`));
    if (source.acts() && card.file) {
      buttons.push(button("Retake", { "data-key": "retake", "aria-keyshortcuts": "r", title: "Request a new variation: increases retake in the YAML", on: { click: () => retake(card.id) } }));
      buttons.push(button("Open YAML", { "data-key": "open", "aria-keyshortcuts": "o", title: Gallery.format.place(card.file), on: { click: () => openFile(card.id) } }));
    }
    fill(parts.actions, buttons);
    refocus(parts.actions, focused);
  }

  async function load() {
    const request = ++requests;
    const id = current;
    let detail;
    try {
      detail = await source.detail(id);
    } catch (error) {
      if (request === requests && !written) missing(error);
      return;
    }
    if (request !== requests || id !== current) return;
    stage.show(detail, { fresh: !written });
    written = detail;
    if (store.hold(detail.card)) head();
    write(detail);
    pager.need(detail.inputs.map((input) => input.clip).filter(Boolean));
  }

  function write(detail) {
    const focused = document.activeElement && document.activeElement.dataset.key;
    for (const node of find("view-clip").querySelectorAll("details")) open[node.open ? "add" : "delete"](node.querySelector("summary").dataset.key);
    fill(parts.main, facts.problem(detail), Gallery.approval.section(detail), Gallery.versions.strip(detail, compare), detail.card.pieces.length ? Gallery.pieces.section(detail) : facts.prompt(detail), facts.changes(detail), facts.inputs(detail), facts.dependencies(detail));
    fill(parts.side, facts.facts(detail), facts.events(detail));
    for (const node of find("view-clip").querySelectorAll("details")) node.open = open.has(node.querySelector("summary").dataset.key);
    refocus(find("view-clip"), focused);
  }

  /** Show the two chosen versions. */
  function compare() {
    stage.show(written, { fresh: false, first: true });
    write(written);
  }

  /** Keep the focus when a button is replaced. */
  function refocus(node, key) {
    if (!key || (document.activeElement && document.activeElement !== document.body)) return;
    const replacement = node.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (replacement) replacement.focus();
  }

  function missing(error) {
    fill(parts.main, h("div", { class: "empty" }, h("p", { class: "empty-title" }, error.status === 404 ? "No such clip" : "This clip cannot be shown"),
      foreign("p", {}, error.status === 404 ? `No clip is named ${current}.` : error.message), h("p", {}, h("a", { href: "#/" }, "All clips"))));
  }

  const editable = (id) => { const card = store.card(id); return source.acts() && card && card.file ? card : null; };

  function choose(id, take) {
    const card = editable(id);
    if (!card || take > card.takes || take === card.pick) return;
    messages.act("pick", { clip: id, take });
  }

  const retake = (id) => { if (editable(id)) messages.act("retake", { clip: id }); };

  async function openFile(id) {
    const card = editable(id);
    if (!card) return;
    const reply = await messages.act("open", { clip: id });
    if (reply && reply.url) messages.show({ text: "No editor with a window is set (CLIPFORM_EDITOR, VISUAL, EDITOR). The clip is declared at", copy: Gallery.format.place(card.file) });
  }

  function neighbour(by) {
    const next = store.neighbour(by, current);
    if (next !== null && next !== current) location.replace(Gallery.card.address(next));
  }

  const cycle = () => { const card = store.card(current); if (card) stage.cycle(card); };

  return { start, enter, exit, choose, retake, openFile, neighbour, cycle };
})();
