"use strict";
// The state of the page: document, selection, filter, route, connection. Views subscribe by topic:
//   load · changed (ids of the clips) · head · list (visible clips and their order) · card (one clip, by id) · select · route · filter · connection
// A change of one clip notifies one card; the list is notified only if it differs.
//
// Of each clip there is a row: what the filters and the layout of the grid need. A report has the cards of all clips too;
// a live page only some, so that it is as small with ten thousand clips as with a thousand (see pager.js).

Gallery.store = (() => {
  const listeners = new Map();
  const MAX_CARDS = 400; // of a live page
  const state = {
    head: null,
    rows: new Map(), // of all clips
    cards: new Map(), // that the page holds, by age
    stale: new Set(), // of those, the ones that may have changed
    wanted: new Set(), // the ones that the view shows
    pinned: false, // true: all cards are wanted
    order: [],
    visible: [],
    selected: null,
    route: { view: "grid", id: null },
    filter: { text: "", states: new Set(), tag: "", provider: "" },
    hits: null, // the clips that contain the text of the filter, if the server looked for it
    connection: "connecting",
  };

  function on(topic, listener) {
    if (!listeners.has(topic)) listeners.set(topic, []);
    listeners.get(topic).push(listener);
  }

  const notify = (topic, value) => (listeners.get(topic) || []).forEach((listener) => listener(value));

  /** Return the row of a clip; `clip_index` in Python returns the same. */
  const rowOf = ({ state: name, provider, tags, shown, ratio, apply }) =>
    ({ state: name, provider, tags, shape: shown && shown.width ? `${shown.width}:${shown.height}` : ratio, applies: Boolean(apply) });

  /** Replace the whole document. With an `index` it has the rows of all clips, and only some cards. */
  function load(document) {
    const { cards, index, ...head } = document;
    const previous = state.cards;
    state.head = head;
    state.cards = new Map(cards.map((card) => [card.id, card]));
    state.stale = new Set();
    state.rows = new Map(index ? index.ids.map((id, at) => [id, index.rows[index.of[at]]]) : cards.map((card) => [card.id, rowOf(card)]));
    state.order = index ? index.ids : cards.map((card) => card.id);
    for (const [id, card] of previous) if (index && state.rows.has(id) && !state.cards.has(id)) {
      state.cards.set(id, card);
      state.stale.add(id);
    }
    evict();
    notify("head", head);
    updateVisible();
    for (const card of cards) {
      const old = previous.get(card.id);
      if (old && JSON.stringify(old) !== JSON.stringify(card)) notify("card", card.id);
    }
    for (const id of previous.keys()) if (!state.rows.has(id)) notify("card", id);
    notify("load");
  }

  /** Apply an update: the head, and the new, changed and removed clips. */
  function change({ head, cards, removed, order }) {
    state.head = head;
    notify("changed", cards.map((card) => card.id));
    for (const card of cards) {
      state.rows.set(card.id, rowOf(card));
      keep(card);
    }
    for (const id of removed) for (const each of [state.rows, state.cards, state.stale]) each.delete(id);
    if (order) state.order = order.filter((id) => state.rows.has(id));
    else if (removed.length) state.order = state.order.filter((id) => state.rows.has(id));
    evict();
    notify("head", head);
    updateVisible();
    for (const card of cards) notify("card", card.id);
    for (const id of removed) notify("card", id);
  }

  function keep(card) {
    state.cards.set(card.id, card);
    state.stale.delete(card.id);
  }

  /** Hold cards that the server was asked for. */
  function put(cards) {
    const declared = cards.filter((card) => state.rows.has(card.id));
    declared.forEach(keep);
    evict();
    for (const card of declared) notify("card", card.id);
  }

  /** Hold the card of one clip if the page does not, or not as it is now; return true if so. */
  function hold(card) {
    const { rows, cards, stale } = state;
    const lacks = rows.has(card.id) && (!cards.has(card.id) || stale.has(card.id));
    if (lacks) keep(card);
    return lacks;
  }

  /** Drop the oldest cards of a live page that the view does not show. */
  function evict() {
    if (!state.head || !state.head.live || state.pinned) return;
    for (const id of state.cards.keys()) {
      if (state.cards.size <= MAX_CARDS) return;
      if (state.wanted.has(id) || id === state.selected || id === state.route.id) continue;
      state.cards.delete(id);
      state.stale.delete(id);
    }
  }

  /** Want these cards only, or with `true` all of them. */
  function want(ids) {
    state.pinned = ids === true;
    state.wanted = new Set(state.pinned ? [] : ids);
    evict();
  }

  function progress({ id, running }) {
    const card = state.cards.get(id);
    if (!card) return;
    card.running = running;
    notify("card", id);
  }

  function matches(id, terms) {
    const { filter, hits } = state;
    const row = state.rows.get(id);
    if (filter.states.size && !filter.states.has(row.state)) return false;
    if (filter.tag && !row.tags.includes(filter.tag)) return false;
    if (filter.provider && row.provider !== filter.provider) return false;
    if (!terms.length) return true;
    if (!isWhole()) return hits === null || hits.has(id);
    const card = state.cards.get(id);
    const text = [card.id, card.prompt, card.description, card.model, card.provider, card.file ? card.file.path : "", card.output, ...card.tags]
      .join("\n").toLowerCase();
    return terms.every((term) => text.includes(term));
  }

  function updateVisible() {
    const previous = state.visible;
    const terms = state.filter.text.toLowerCase().split(/\s+/).filter(Boolean);
    const visible = state.order.filter((id) => matches(id, terms));
    const same = previous.length === visible.length && previous.every((id, index) => id === visible[index]);
    const index = Math.max(0, previous.indexOf(state.selected));
    state.visible = visible;
    if (state.selected !== null && !visible.includes(state.selected)) {
      state.selected = visible.length ? visible[Math.min(index, visible.length - 1)] : null;
      notify("select", state.selected);
    }
    if (!same) notify("list", visible);
  }

  function filter(changes) {
    Object.assign(state.filter, changes);
    updateVisible();
    notify("filter", state.filter);
  }

  /** Set the clips that contain the text of the filter; null: it is looked for here. */
  function find(hits) {
    if (state.hits === hits) return;
    state.hits = hits;
    updateVisible();
  }

  function select(id) {
    if (state.selected === id) return;
    state.selected = id;
    notify("select", id);
  }

  /** Return the visible clip `by` positions from another one, within the list. */
  function neighbour(by, from = state.selected) {
    const index = state.visible.indexOf(from);
    if (!state.visible.length) return null;
    if (index < 0) return state.visible[0];
    return state.visible[Math.min(state.visible.length - 1, Math.max(0, index + by))];
  }

  function route(next) {
    state.route = next;
    notify("route", next);
  }

  function connect(connection) {
    if (state.connection === connection) return;
    state.connection = connection;
    notify("connection", connection);
  }

  const isWhole = () => state.cards.size === state.rows.size && state.stale.size === 0;
  const row = (id) => state.rows.get(id) || null;
  const card = (id) => state.cards.get(id) || null;
  const BLANK = { prompt: "", description: "", sentence: "", detail: "", action: "", model: "", mismatch: "", running: null, shown: null, due: null, cost: null, created: null, estimate: null, apply: null, file: null, also: [], pieces: [], pick: 1, takes: 1 };

  /** Return the card of a clip, with its row only while the page does not hold it; null if there is no such clip. */
  const cardOrRow = (id) => card(id) || (row(id) && { ...BLANK, ...row(id), id });
  const now = () => (state.head && !state.head.live ? Date.parse(state.head.generated) : Date.now());

  return { state, on, load, change, put, hold, want, progress, filter, find, select, neighbour, route, connect, isWhole, row, rowOf, card, cardOrRow, now };
})();
