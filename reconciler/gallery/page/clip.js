"use strict";
// One clip whole: its pictures large, what can be done, and everything that is known of it.

Gallery.clip = (() => {
  const { h, fill, find, foreign, button, icon } = Gallery.dom;
  const { name, total } = Gallery.words;
  const { store, source, stage, facts, messages } = Gallery;
  let parts = null;
  let current = null; // the id on the page
  let written = null; // the detail that stands there
  let asked = 0; // numbers the questions, so that a late answer is not shown
  let details = new Set(); // which folded parts are open

  function start() {
    store.on("card", (id) => {
      if (id === current) {
        head();
        if (!running()) load();
      } else if (written && written.inputs.some((input) => input.clip === id)) write(written);
    });
    store.on("connection", (now) => { if (now === "live" && current !== null) load(); });
    store.on("list", () => {
      if (current === null) return;
      head();
      if (written) write(written); // pictures and links of other clips are those of their cards
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
    const step = (by, label, drawn) => button("", { class: "icon-button", "aria-label": label, on: { click: () => neighbour(by) } }, icon(drawn));
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
    details = new Set();
    store.select(id);
    fill(parts.main);
    fill(parts.side);
    stage.close();
    head();
    scrollTo(0, 0);
    parts.title.focus({ preventScroll: true });
    load();
  }

  function exit() {
    current = null;
    written = null;
    asked += 1;
    stage.close();
  }

  /** What the card says, at once; the rest follows when the detail is there. */
  function head() {
    const card = store.card(current);
    const parted = name(current);
    fill(parts.title, h("bdi", {}, parted.main), parted.variant && h("span", { class: "variant", dir: "auto" }, parted.variant));
    parts.title.title = current;
    parts.back.setAttribute("href", Gallery.main.home());
    if (!card) return;
    fill(parts.state, card.state);
    parts.state.className = `state is-${card.state}`;
    const note = card.running ? Gallery.card.going(card.running) : ["blocked", "failed"].includes(card.state) ? "" : card.state === "ready" ? card.description : card.sentence;
    fill(parts.note, note);
    parts.note.hidden = !note;
    parts.bar.hidden = card.state !== "running";
    const progress = card.running && card.running.progress;
    if (progress === null || progress === undefined) parts.bar.removeAttribute("value");
    else parts.bar.value = progress;
    const at = store.state.visible.indexOf(current);
    fill(parts.position, at < 0 ? "" : `${at + 1} / ${store.state.visible.length}`);
    actions(card);
  }

  function actions(card) {
    const held = document.activeElement && document.activeElement.dataset.key;
    const found = [];
    if (source.live && card.apply) found.push(button("", { class: "button primary", "data-key": "apply", "aria-keyshortcuts": "a", on: { click: () => Gallery.dialogs.apply(card.id) } }, `Apply · ${total(card.apply)}`));
    if (source.live && card.file) {
      found.push(button("Retake", { "data-key": "retake", "aria-keyshortcuts": "r", title: "Ask for a new variation: changes one number in the YAML", on: { click: () => retake(card.id) } }));
      found.push(button("Open YAML", { "data-key": "open", "aria-keyshortcuts": "o", title: Gallery.words.place(card.file), on: { click: () => open(card.id) } }));
    }
    fill(parts.actions, found);
    refocus(parts.actions, held);
  }

  async function load() {
    const mine = ++asked;
    const id = current;
    let detail;
    try {
      detail = await source.detail(id);
    } catch (error) {
      if (mine === asked && !written) missing(error);
      return;
    }
    if (mine !== asked || id !== current) return;
    stage.show(detail, { fresh: !written });
    written = detail;
    write(detail);
  }

  function write(detail) {
    const held = document.activeElement && document.activeElement.dataset.key;
    for (const node of find("view-clip").querySelectorAll("details")) details[node.open ? "add" : "delete"](node.querySelector("summary").dataset.key);
    fill(parts.main, facts.trouble(detail), facts.prompt(detail), facts.changes(detail), facts.inputs(detail), facts.dependencies(detail));
    fill(parts.side, facts.facts(detail), facts.events(detail));
    for (const node of find("view-clip").querySelectorAll("details")) node.open = details.has(node.querySelector("summary").dataset.key);
    refocus(find("view-clip"), held);
  }

  /** The keyboard stays where it was, though the button is a new one. */
  function refocus(node, key) {
    if (!key || (document.activeElement && document.activeElement !== document.body)) return;
    const found = node.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (found) found.focus();
  }

  function missing(error) {
    fill(parts.main, h("div", { class: "empty" }, h("p", { class: "empty-title" }, error.status === 404 ? "No such clip" : "This clip cannot be shown now"),
      foreign("p", {}, error.status === 404 ? `Nothing is declared as ${current}.` : error.message), h("p", {}, h("a", { href: "#/" }, "All clips"))));
  }

  const known = (id) => { const card = store.card(id); return source.live && card && card.file ? card : null; };

  function choose(id, take) {
    const card = known(id);
    if (!card || take > card.takes || take === card.pick) return;
    messages.act("pick", { clip: id, take });
  }

  const retake = (id) => { if (known(id)) messages.act("retake", { clip: id }); };

  async function open(id) {
    const card = known(id);
    if (!card) return;
    const reply = await messages.act("open", { clip: id });
    if (reply && reply.url) messages.show({ text: "No editor is set ($CLIPFORM_EDITOR, $VISUAL, $EDITOR). The clip is declared at", copy: Gallery.words.place(card.file) });
  }

  function neighbour(by) {
    const next = store.neighbour(by, current);
    if (next !== null && next !== current) location.replace(Gallery.card.address(next));
  }

  const cycle = () => { const card = store.card(current); if (card) stage.cycle(card); };

  return { start, enter, exit, choose, retake, open, neighbour, cycle };
})();
