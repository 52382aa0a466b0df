"use strict";
// Where the document comes from: the file beside a report, or the live server with its events and actions.

Gallery.source = (() => {
  const { store } = Gallery;
  const data = window.CLIPFORM || null;
  const live = data === null;
  const AGAIN = 2000; // between two tries after the server refused; while it is only unreachable the browser tries by itself
  let events = null;
  let heard = () => {};

  async function get(path) {
    const answer = await fetch(path, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) throw Object.assign(new Error(`the gallery answered ${answer.status}`), { status: answer.status });
    return answer.json();
  }

  /** One clip whole. */
  function detail(id) {
    if (live) return get(`api/clips/${encodeURIComponent(id)}`);
    const found = Object.hasOwn(data.details, id) ? data.details[id] : null;
    return found ? Promise.resolve(found) : Promise.reject(Object.assign(new Error("not in this report"), { status: 404 }));
  }

  /** An action: its message, or an error with `help`. */
  async function post(action, body) {
    let answer;
    try {
      answer = await fetch(`api/${action}`, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    } catch {
      throw Object.assign(new Error("The gallery does not answer. Nothing was done."), { code: "away" });
    }
    const reply = await answer.json().catch(() => ({}));
    if (answer.ok) return reply;
    const error = reply.error || { code: "unknown", message: `the gallery answered ${answer.status}` };
    throw Object.assign(new Error(error.message), { code: error.code, help: error.help || "", status: answer.status });
  }

  function start(onMessage) {
    heard = onMessage;
    if (!live) {
      store.load(data.document);
      store.connect("report");
      return;
    }
    first();
    listen();
  }

  async function first() {
    try {
      const whole = await get("api/gallery");
      // An event that came sooner is newer than this answer, or equal to it.
      if (store.state.head === null) store.load(whole);
    } catch (error) {
      if (error.status === 401) store.connect("locked");
    }
  }

  function listen() {
    events = new EventSource("api/events");
    let fresh = true; // the first document after connecting has every clip
    events.addEventListener("open", () => {
      fresh = true;
      store.connect("live");
    });
    events.addEventListener("document", (event) => {
      const change = JSON.parse(event.data);
      if (fresh) store.load({ ...change.head, revision: change.revision, cards: ordered(change) });
      else store.change({ ...change, head: { ...change.head, revision: change.revision } });
      fresh = false;
    });
    events.addEventListener("progress", (event) => store.progress(JSON.parse(event.data)));
    events.addEventListener("message", (event) => heard(JSON.parse(event.data)));
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) refused();
      else store.connect("away");
    });
  }

  function ordered({ cards, order }) {
    if (!order) return cards;
    const byId = new Map(cards.map((card) => [card.id, card]));
    return order.map((id) => byId.get(id)).filter(Boolean);
  }

  /** The server answers, but not with events: another process has the port, or it is starting. */
  async function refused() {
    events.close();
    const status = await get("api/gallery").then(() => 200, (error) => error.status || 0);
    store.connect(status === 401 ? "locked" : "away");
    if (status !== 401) setTimeout(listen, AGAIN);
  }

  addEventListener("pagehide", () => events && events.close());

  return { live, start, detail, post };
})();
