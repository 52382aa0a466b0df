"use strict";
// The filters: text, state, tag and provider. Only values that some clip has are offered.

Gallery.filters = (() => {
  const { h, fill, find, button } = Gallery.dom;
  const { STATES } = Gallery.format;
  const { store } = Gallery;
  let signature = ""; // of the current choices

  function start() {
    find("filters").addEventListener("submit", (event) => event.preventDefault());
    find("filter-text").addEventListener("input", (event) => store.filter({ text: event.target.value }));
    find("filter-tag").addEventListener("change", (event) => store.filter({ tag: event.target.value }));
    find("filter-provider").addEventListener("change", (event) => store.filter({ provider: event.target.value }));
    find("filter-clear").addEventListener("click", clear);
    for (const topic of ["list", "card", "head", "filter"]) store.on(topic, schedule);
  }

  let frame = 0;
  const schedule = () => { frame ||= requestAnimationFrame(draw); };

  function draw() {
    frame = 0;
    const { filter, rows, visible } = store.state;
    const states = new Map();
    for (const row of rows.values()) states.set(row.state, (states.get(row.state) || 0) + 1);
    const kinds = [...new Set(rows.values())];
    const present = STATES.filter((state) => states.has(state) || filter.states.has(state));
    const tags = [...new Set(kinds.flatMap((row) => row.tags))].sort();
    const providers = [...new Set(kinds.map((row) => row.provider).filter(Boolean))].sort();
    const next = JSON.stringify([present.map((state) => [state, states.get(state), filter.states.has(state)]), tags, providers, filter.tag, filter.provider]);
    if (next !== signature) {
      signature = next;
      facets(present, states, filter);
      choices(find("filter-tag"), "Any tag", tags, filter.tag);
      choices(find("filter-provider"), "Any provider", providers, filter.provider);
    }
    const filtered = Boolean(filter.text || filter.states.size || filter.tag || filter.provider);
    find("filter-clear").hidden = !filtered;
    fill(find("count"), filtered ? `${visible.length} of ${rows.size}` : `${rows.size} clip${rows.size === 1 ? "" : "s"}`);
    find("filters").hidden = rows.size === 0;
  }

  function facets(present, states, filter) {
    const focused = document.activeElement && document.activeElement.dataset.state;
    fill(find("filter-states"), present.map((state) => button("", { class: "facet", "data-state": state, "aria-pressed": String(filter.states.has(state)), on: { click: () => press(state) } },
      h("span", { class: `state is-${state}` }, state), h("span", { class: "number" }, String(states.get(state) || 0)))));
    const replacement = focused && find("filter-states").querySelector(`[data-state="${focused}"]`);
    if (replacement) replacement.focus();
  }

  function choices(select, none, values, chosen) {
    const options = chosen && !values.includes(chosen) ? [...values, chosen] : values;
    select.hidden = options.length < (none === "Any tag" ? 1 : 2);
    fill(select, h("option", { value: "" }, none), options.map((value) => h("option", { value, selected: value === chosen }, value)));
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
