"use strict";
// Short messages at the bottom of the page. Screen readers announce them; all but errors disappear after a while. An
// error disappears with its cause: when its action succeeds, the project changes, or the server answers again.

Gallery.messages = (() => {
  const { h, fill, find, button, foreign } = Gallery.dom;
  const { plainly } = Gallery.format;
  const { store } = Gallery;
  const VISIBLE_MS = 6000;
  const MAX_MESSAGES = 4;
  const RUN = "run"; // the topic of errors that the server reports
  const open = new Map(); // topic -> its error on the page
  let revision = "";

  /** Remove the error of a topic. */
  function drop(topic) {
    if (open.has(topic)) open.get(topic).remove();
    open.delete(topic);
  }

  store.on("connection", (now) => { if (now === "live") drop("connection"); });
  store.on("head", (head) => {
    if (head.revision === revision) return;
    revision = head.revision;
    for (const [topic, node] of open) if (topic !== RUN && topic !== "connection") setTimeout(() => node.remove(), VISIBLE_MS);
  });

  /** Show a message: `kind` is note, done or error; `copy` is text for the clipboard; `topic` names an error's cause. */
  function show({ kind = "note", text, help = "", copy = "", topic = kind === "error" ? RUN : "" }) {
    const box = find("messages");
    drop(kind === "done" ? RUN : topic);
    const close = button("Close", { class: "link-button", on: { click: () => node.remove() } });
    const copyButton = copy && button("Copy", { class: "link-button", on: { click: () => copyText(copy, copyButton) } });
    const node = h("div", { class: `message ${kind}`, role: kind === "error" ? "alert" : null },
      h("div", {}, foreign("p", {}, plainly(text)), help && foreign("p", { class: "help-text" }, help), copy && foreign("code", {}, copy)),
      copyButton, close);
    box.append(node);
    if (topic) open.set(topic, node);
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
      drop(action);
      if (reply.message && !reply.url) show({ text: reply.message });
      return reply;
    } catch (error) {
      show({ kind: "error", text: error.message, help: error.help, topic: error.code === "away" ? "connection" : action });
      return null;
    }
  }

  return { show, act };
})();
