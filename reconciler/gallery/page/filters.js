"use strict";
// What is shown: by text, state, tag and provider. A choice that no clip has is not offered.

Gallery.filters = (() => {
  const { h, fill, find, button } = Gallery.dom;
  const { STATES } = Gallery.words;
  const { store } = Gallery;
  let offered = "";

  function start() {
    find("filters").addEventListener("submit", (event) => event.preventDefault());
    find("filter-text").addEventListener("input", (event) => store.filter({ text: event.target.value }));
    find("filter-tag").addEventListener("change", (event) => store.filter({ tag: event.target.value }));
    find("filter-provider").addEventListener("change", (event) => store.filter({ provider: event.target.value }));
    find("filter-clear").addEventListener("click", clear);
    for (const topic of ["list", "card", "head", "filter"]) store.on(topic, later);
  }

  let asked = 0;
  const later = () => { asked ||= requestAnimationFrame(draw); };

  function draw() {
    asked = 0;
    const { filter, cards, visible } = store.state;
    const all = [...cards.values()];
    const states = new Map();
    for (const card of all) states.set(card.state, (states.get(card.state) || 0) + 1);
    const present = STATES.filter((state) => states.has(state) || filter.states.has(state));
    const tags = [...new Set(all.flatMap((card) => card.tags))].sort();
    const providers = [...new Set(all.map((card) => card.provider).filter(Boolean))].sort();
    const now = JSON.stringify([present.map((state) => [state, states.get(state), filter.states.has(state)]), tags, providers, filter.tag, filter.provider]);
    if (now !== offered) {
      offered = now;
      facets(present, states, filter);
      choices(find("filter-tag"), "Any tag", tags, filter.tag);
      choices(find("filter-provider"), "Any provider", providers, filter.provider);
    }
    const filtered = Boolean(filter.text || filter.states.size || filter.tag || filter.provider);
    find("filter-clear").hidden = !filtered;
    fill(find("count"), filtered ? `${visible.length} of ${all.length}` : `${all.length} clip${all.length === 1 ? "" : "s"}`);
    find("filters").hidden = all.length === 0;
  }

  function facets(present, states, filter) {
    const held = document.activeElement && document.activeElement.dataset.state;
    fill(find("filter-states"), present.map((state) => button("", { class: "facet", "data-state": state, "aria-pressed": String(filter.states.has(state)), on: { click: () => press(state) } },
      h("span", { class: `state is-${state}` }, state), h("span", { class: "number" }, String(states.get(state) || 0)))));
    const again = held && find("filter-states").querySelector(`[data-state="${held}"]`);
    if (again) again.focus();
  }

  function choices(select, none, values, chosen) {
    const offer = chosen && !values.includes(chosen) ? [...values, chosen] : values;
    select.hidden = offer.length < (none === "Any tag" ? 1 : 2);
    fill(select, h("option", { value: "" }, none), offer.map((value) => h("option", { value, selected: value === chosen }, value)));
    select.value = chosen;
    select.classList.toggle("set", chosen !== "");
  }

  function press(state) {
    const states = new Set(store.state.filter.states);
    if (!states.delete(state)) states.add(state);
    store.filter({ states });
  }

  function clear() {
    find("filter-text").value = "";
    store.filter({ text: "", states: new Set(), tag: "", provider: "" });
  }

  const focus = () => {
    find("filter-text").focus();
    find("filter-text").select();
  };

  return { start, clear, focus };
})();
