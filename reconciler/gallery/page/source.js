"use strict";
// The source of the document: the data file of a report, or the live server with its events and actions.

Gallery.source = (() => {
  const { store } = Gallery;
  const data = window.CLIPFORM || null;
  const live = data === null;
  const RETRY_MS = 2000; // after the server refused; if it is only unreachable, EventSource retries by itself
  const TRIES = 20; // then the server has ended; the page still tries
  let failures = 0; // in a row
  let events = null;
  let onMessage = () => {};

  async function get(path) {
    const response = await fetch(path, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!response.ok) throw Object.assign(new Error(`the gallery answered ${response.status}`), { status: response.status });
    return response.json();
  }

  /** Return the Detail of a clip. */
  function detail(id) {
    if (live) return get(`api/clips/${encodeURIComponent(id)}`);
    const detail = Object.hasOwn(data.details, id) ? data.details[id] : null;
    return detail ? Promise.resolve(detail) : Promise.reject(Object.assign(new Error("not in this report"), { status: 404 }));
  }

  const query = (name, values) => new URLSearchParams(values.map((value) => [name, value]));

  /** Return the cards of some clips, or with `null` of all. */
  const cards = (ids) => get(ids === null ? "api/gallery" : `api/cards?${query("id", ids)}`).then((reply) => reply.cards);

  /** Return the clips that contain a text. */
  const search = (text) => get(`api/search?${query("text", [text])}`).then((reply) => reply.ids);

  /** Send an action; returns its reply, or throws an error with `help`. */
  async function post(action, body) {
    let response;
    try {
      response = await fetch(`api/${action}`, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    } catch {
      throw Object.assign(new Error("The gallery does not answer. Nothing was changed."), { code: "away" });
    }
    const reply = await response.json().catch(() => ({}));
    if (response.ok) return reply;
    const error = reply.error || { code: "unknown", message: `the gallery answered ${response.status}` };
    throw Object.assign(new Error(error.message), { code: error.code, help: error.help || "", status: response.status });
  }

  function start(listener) {
    onMessage = listener;
    if (!live) {
      store.load(data.document);
      store.connect("report");
      return;
    }
    listen();
  }

  function listen() {
    events = new EventSource("api/events");
    let fresh = true; // the first document after connecting has every clip, and so has one with an index
    events.addEventListener("open", () => {
      fresh = true;
      failures = 0;
      store.connect("live");
    });
    events.addEventListener("document", (event) => {
      const change = JSON.parse(event.data);
      if (fresh || change.index) store.load({ ...change.head, revision: change.revision, index: change.index, cards: ordered(change) });
      else store.change({ ...change, head: { ...change.head, revision: change.revision } });
      fresh = false;
    });
    events.addEventListener("progress", (event) => store.progress(JSON.parse(event.data)));
    events.addEventListener("message", (event) => onMessage(JSON.parse(event.data)));
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) onRefused();
      else store.connect(unreachable());
    });
  }

  const unreachable = () => ((failures += 1) < TRIES ? "away" : "gone");

  function ordered({ cards, order }) {
    if (!order) return cards;
    const byId = new Map(cards.map((card) => [card.id, card]));
    return order.map((id) => byId.get(id)).filter(Boolean);
  }

  /** Handle a response without events: another process has the port, or the server is starting. */
  async function onRefused() {
    events.close();
    const status = await get("api/cards").then(() => 200, (error) => error.status || 0);
    store.connect(status === 401 ? "locked" : unreachable());
    if (status !== 401) setTimeout(listen, RETRY_MS);
  }

  addEventListener("pagehide", () => events && events.close());

  /** Whether the page may change or apply something: a report and a read-only gallery only show. */
  const acts = () => live && store.state.head !== null && store.state.head.acts;

  return { acts, start, detail, cards, search, post };
})();
