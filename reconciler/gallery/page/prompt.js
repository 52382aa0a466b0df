"use strict";
// Edits a prompt in place. The text is that of the YAML, with ${…} unresolved; saving it changes the file, and is refused
// if the prompt was changed there since. A text stays in its editor until it is saved or cancelled.

Gallery.prompt = (() => {
  const { h, fill, button, foreign } = Gallery.dom;
  const { count } = Gallery.format;
  const { messages, store, source } = Gallery;
  const editors = new Map(); // clip -> its open editor
  let redraw = () => {};

  const start = (onChange) => { redraw = onChange; };

  /** Return the open editor of a clip; null if there is none. */
  const of = (id) => editors.get(id) || null;

  async function open(id) {
    const card = store.card(id);
    if (!source.acts() || !card || !card.file) return;
    if (!editors.has(id)) {
      const written = await messages.act("prompt", { clip: id });
      if (!written) return;
      editors.set(id, build(id, written));
      redraw();
    }
    editors.get(id).querySelector("textarea").focus({ preventScroll: true });
    editors.get(id).scrollIntoView({ block: "nearest" }); // with its buttons
  }

  function build(id, { file, text, clips }) {
    const area = h("textarea", { class: "prompt-text", rows: "4", "data-key": "prompt-text", dir: "auto", spellcheck: "true", "aria-label": `Prompt of ${id}` });
    area.value = text;
    const save = button("", { class: "button primary", on: { click: keep } }, "Save");
    const question = h("p", { class: "warn", role: "alert" });
    const node = h("div", { class: "prompt-editor", on: { keydown: press } }, area, question, clips > 1 && h("p", { class: "quiet" }, `${count(clips, "clip")} share this prompt.`),
      h("div", { class: "prompt-actions" }, save, button("", { on: { click: close } }, "Cancel"), foreign("span", { class: "quiet" }, file)));

    async function keep() {
      save.disabled = true;
      const reply = area.value === text ? {} : await messages.act("rewrite", { clip: id, before: text, text: area.value });
      save.disabled = false;
      if (reply) close();
    }

    function close() {
      editors.delete(id);
      redraw();
    }

    /** Close the editor; with unsaved words ask, and a second Escape goes back to them. */
    function leave() {
      if (area.value === text) return void close();
      if (question.hasChildNodes()) return void stay();
      const back = button("", { class: "link-button", on: { click: stay } }, "Keep editing");
      fill(question, "Discard the unsaved words? ", button("", { class: "link-button", on: { click: close } }, "Discard"), " ", back);
      back.focus({ preventScroll: true });
      node.scrollIntoView({ block: "nearest" });
    }

    function stay() {
      fill(question);
      area.focus();
    }

    function press(event) {
      if (event.isComposing) return;
      if (event.key === "Escape") leave();
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) keep();
      else return;
      event.preventDefault();
    }

    return node;
  }

  return { start, of, open };
})();
