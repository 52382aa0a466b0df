"use strict";
// Short messages at the foot of the page; read aloud by a screen reader, gone by themselves unless they are errors.

Gallery.messages = (() => {
  const { h, fill, find, button, foreign } = Gallery.dom;
  const SHOWN = 6000;
  const AT_MOST = 4;

  /** Show a message: `kind` is note, done or error; `copy` is a text to take along. */
  function show({ kind = "note", text, help = "", copy = "" }) {
    const box = find("messages");
    const close = button("Close", { class: "link-button", on: { click: () => node.remove() } });
    const take = copy && button("Copy", { class: "link-button", on: { click: () => copied(copy, take) } });
    const node = h("div", { class: `message ${kind}`, role: kind === "error" ? "alert" : null },
      h("div", {}, foreign("p", {}, text), help && foreign("p", { class: "help-text" }, help), copy && foreign("code", {}, copy)),
      take, close);
    box.append(node);
    while (box.children.length > AT_MOST) box.firstElementChild.remove();
    if (kind !== "error" && !copy) setTimeout(() => node.remove(), SHOWN);
  }

  async function copied(text, at) {
    try {
      await navigator.clipboard.writeText(text);
      fill(at, "Copied");
    } catch {
      fill(at, "Select and copy it");
    }
  }

  /** Carry out an action and say how it ended; its answer, or null. */
  async function act(action, body) {
    try {
      const reply = await Gallery.source.post(action, body);
      if (reply.message && !reply.url) show({ text: reply.message });
      return reply;
    } catch (error) {
      show({ kind: "error", text: error.message, help: error.help });
      return null;
    }
  }

  return { show, act };
})();
