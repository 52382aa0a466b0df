"use strict";
// Short messages at the bottom of the page. Screen readers announce them; all but errors disappear after a while.

Gallery.messages = (() => {
  const { h, fill, find, button, foreign } = Gallery.dom;
  const VISIBLE_MS = 6000;
  const MAX_MESSAGES = 4;

  /** Show a message: `kind` is note, done or error; `copy` is text for the clipboard. */
  function show({ kind = "note", text, help = "", copy = "" }) {
    const box = find("messages");
    const close = button("Close", { class: "link-button", on: { click: () => node.remove() } });
    const copyButton = copy && button("Copy", { class: "link-button", on: { click: () => copyText(copy, copyButton) } });
    const node = h("div", { class: `message ${kind}`, role: kind === "error" ? "alert" : null },
      h("div", {}, foreign("p", {}, text), help && foreign("p", { class: "help-text" }, help), copy && foreign("code", {}, copy)),
      copyButton, close);
    box.append(node);
    while (box.children.length > MAX_MESSAGES) box.firstElementChild.remove();
    if (kind !== "error" && !copy) setTimeout(() => node.remove(), VISIBLE_MS);
  }

  async function copyText(text, target) {
    try {
      await navigator.clipboard.writeText(text);
      fill(target, "Copied");
    } catch {
      fill(target, "Copy failed: select the text");
    }
  }

  /** Send an action and show its result; returns the reply, or null after an error. */
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
