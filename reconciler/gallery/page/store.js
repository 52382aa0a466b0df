"use strict";
// The state of the page: document, selection, filter, route, connection. Views subscribe by topic:
//   head · list (visible clips and their order) · card (one clip, by id) · select · route · filter · connection
// A change of one clip notifies one card; the list is notified only if it differs.

Gallery.store = (() => {
  const listeners = new Map();
  const state = {
    head: null,
    cards: new Map(),
    order: [],
    visible: [],
    selected: null,
    route: { view: "grid", id: null },
    filter: { text: "", states: new Set(), tag: "", provider: "" },
    connection: "connecting",
  };

  function on(topic, listener) {
    if (!listeners.has(topic)) listeners.set(topic, []);
    listeners.get(topic).push(listener);
  }

  const notify = (topic, value) => (listeners.get(topic) || []).forEach((listener) => listener(value));

  /** Replace the whole document. */
  function load(document) {
    const { cards, ...head } = document;
    const previous = state.cards;
    state.head = head;
    state.cards = new Map(cards.map((card) => [card.id, card]));
    state.order = cards.map((card) => card.id);
    notify("head", head);
    updateVisible();
    for (const card of cards) {
      const old = previous.get(card.id);
      if (old && JSON.stringify(old) !== JSON.stringify(card)) notify("card", card.id);
    }
    for (const id of previous.keys()) if (!state.cards.has(id)) notify("card", id);
  }

  /** Apply an update: the head, and the new, changed and removed clips. */
  function change({ head, cards, removed, order }) {
    state.head = head;
    for (const card of cards) state.cards.set(card.id, card);
    for (const id of removed) state.cards.delete(id);
    if (order) state.order = order.filter((id) => state.cards.has(id));
    else if (removed.length) state.order = state.order.filter((id) => state.cards.has(id));
    notify("head", head);
    updateVisible();
    for (const card of cards) notify("card", card.id);
    for (const id of removed) notify("card", id);
  }

  function progress({ id, running }) {
    const card = state.cards.get(id);
    if (!card) return;
    card.running = running;
    notify("card", id);
  }

  function matches(card, filter) {
    if (filter.states.size && !filter.states.has(card.state)) return false;
    if (filter.tag && !card.tags.includes(filter.tag)) return false;
    if (filter.provider && card.provider !== filter.provider) return false;
    const terms = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!terms.length) return true;
    const text = [card.id, card.prompt, card.description, card.model, card.provider, card.file ? card.file.path : "", card.output, ...card.tags]
      .join("\n").toLowerCase();
    return terms.every((term) => text.includes(term));
  }

  function updateVisible() {
    const previous = state.visible;
    const visible = state.order.filter((id) => matches(state.cards.get(id), state.filter));
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

  const card = (id) => state.cards.get(id) || null;
  const now = () => (state.head && !state.head.live ? Date.parse(state.head.generated) : Date.now());

  return { state, on, load, change, progress, filter, select, neighbour, route, connect, card, now };
})();
