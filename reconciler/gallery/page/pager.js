"use strict";
// Asks a live server for the cards that a view shows and the page does not hold, and for a text in those that it does not
// hold. A reply may be older than an event that came before it, so it is not used for a clip that changed meanwhile.

Gallery.pager = (() => {
  const { store, source } = Gallery;
  const BATCH = 60; // clips of one request: an address must not be too long
  const requests = new Set(); // on the way: { ids, changed }; `ids` is null for all clips
  let onWhole = null; // called once all cards are there
  let searches = 0; // numbers them, so that a late reply is ignored

  store.on("changed", (ids) => requests.forEach(({ changed }) => ids.forEach((id) => changed.add(id))));
  store.on("load", () => {
    requests.clear();
    request();
  });
  for (const topic of ["filter", "head"]) store.on(topic, search);

  /** Hold the cards of these clips as long as no others are needed. */
  function need(ids) {
    onWhole = null;
    store.want(ids);
    request();
  }

  /** Hold all cards until only some are needed, and call `then` once they are there. */
  function needAll(then) {
    store.want(true);
    onWhole = then;
    request();
  }

  function request() {
    const { wanted, pinned, cards, stale } = store.state;
    if (store.isWhole()) return void arrived();
    if (pinned) return void ([...requests].some(({ ids }) => ids === null) || ask(null));
    const coming = new Set([...requests].flatMap(({ ids }) => ids || []));
    const missing = [...wanted].filter((id) => store.row(id) && (!cards.has(id) || stale.has(id)) && !coming.has(id));
    for (let at = 0; at < missing.length; at += BATCH) ask(missing.slice(at, at + BATCH));
  }

  async function ask(ids) {
    const each = { ids, changed: new Set() };
    requests.add(each);
    const cards = await source.cards(ids).catch(() => []); // the page shows that the server is away; its return loads all
    if (!requests.delete(each)) return; // the document was loaded meanwhile
    store.put(cards.filter((card) => !each.changed.has(card.id)));
    arrived();
  }

  function arrived() {
    if (!onWhole || !store.isWhole()) return;
    const then = onWhole;
    onWhole = null;
    then();
  }

  function search() {
    const text = store.state.filter.text.trim();
    const number = (searches += 1);
    if (!text || store.isWhole()) return void store.find(null);
    source.search(text).then((ids) => { if (number === searches) store.find(new Set(ids)); }, () => {});
  }

  return { need, needAll };
})();
