"use strict";
// What the page knows: the document, what is selected, what is filtered, where we are. Views listen by topic:
//   head · list (which clips stand where) · card (one clip, with its id) · select · route · connection
// One clip's change is told to one card; the list is told only if it is another one.

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

  const tell = (topic, value) => (listeners.get(topic) || []).forEach((listener) => listener(value));

  /** A whole document. */
  function load(whole) {
    const { cards, ...head } = whole;
    const known = state.cards;
    state.head = head;
    state.cards = new Map(cards.map((card) => [card.id, card]));
    state.order = cards.map((card) => card.id);
    tell("head", head);
    relist();
    for (const card of cards) {
      const before = known.get(card.id);
      if (before && JSON.stringify(before) !== JSON.stringify(card)) tell("card", card.id);
    }
    for (const id of known.keys()) if (!state.cards.has(id)) tell("card", id);
  }

  /** A change: the head, and the clips that are new, other, or gone. */
  function change({ head, cards, removed, order }) {
    state.head = head;
    for (const card of cards) state.cards.set(card.id, card);
    for (const id of removed) state.cards.delete(id);
    if (order) state.order = order.filter((id) => state.cards.has(id));
    else if (removed.length) state.order = state.order.filter((id) => state.cards.has(id));
    tell("head", head);
    relist();
    for (const card of cards) tell("card", card.id);
    for (const id of removed) tell("card", id);
  }

  function progress({ id, running }) {
    const card = state.cards.get(id);
    if (!card) return;
    card.running = running;
    tell("card", id);
  }

  function matches(card, filter) {
    if (filter.states.size && !filter.states.has(card.state)) return false;
    if (filter.tag && !card.tags.includes(filter.tag)) return false;
    if (filter.provider && card.provider !== filter.provider) return false;
    const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return true;
    const text = [card.id, card.prompt, card.description, card.model, card.provider, card.file ? card.file.path : "", card.output, ...card.tags]
      .join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  }

  function relist() {
    const before = state.visible;
    const visible = state.order.filter((id) => matches(state.cards.get(id), state.filter));
    const same = before.length === visible.length && before.every((id, at) => id === visible[at]);
    const at = Math.max(0, before.indexOf(state.selected));
    state.visible = visible;
    if (state.selected !== null && !visible.includes(state.selected)) {
      state.selected = visible.length ? visible[Math.min(at, visible.length - 1)] : null;
      tell("select", state.selected);
    }
    if (!same) tell("list", visible);
  }

  function filter(changes) {
    Object.assign(state.filter, changes);
    relist();
    tell("filter", state.filter);
  }

  function select(id) {
    if (state.selected === id) return;
    state.selected = id;
    tell("select", id);
  }

  /** The clip `by` places on, kept inside the list. */
  function neighbour(by, from = state.selected) {
    const at = state.visible.indexOf(from);
    if (!state.visible.length) return null;
    if (at < 0) return state.visible[0];
    return state.visible[Math.min(state.visible.length - 1, Math.max(0, at + by))];
  }

  function route(next) {
    state.route = next;
    tell("route", next);
  }

  function connect(connection) {
    if (state.connection === connection) return;
    state.connection = connection;
    tell("connection", connection);
  }

  const card = (id) => state.cards.get(id) || null;
  const now = () => (state.head && !state.head.live ? Date.parse(state.head.generated) : Date.now());

  return { state, on, load, change, progress, filter, select, neighbour, route, connect, card, now };
})();
