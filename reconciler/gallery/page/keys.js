"use strict";
// Every key of the page, in one table: what is pressed is looked up here, and the help is made from the same rows.

Gallery.keys = (() => {
  const { find } = Gallery.dom;
  const { store, grid, film, stage, clip, changes, filters, dialogs, head } = Gallery;
  const view = () => store.state.route.view;
  const by = (choices) => (...rest) => (choices[view()] || (() => {}))(...rest);
  const go = (hash) => () => { location.hash = hash; };

  function takes(key) {
    const id = store.state.selected;
    if (id !== null) clip.choose(id, Number(key));
  }

  const onClip = (action) => () => { if (store.state.selected !== null) action(store.state.selected); };

  const table = [
    { group: "Move", keys: ["j"], shown: ["j"], label: "Next clip", act: by({ grid: () => grid.move(1), film: () => film.step(1), changes: () => changes.move(1), clip: () => clip.neighbour(1) }) },
    { group: "Move", keys: ["k"], shown: ["k"], label: "Previous clip", act: by({ grid: () => grid.move(-1), film: () => film.step(-1), changes: () => changes.move(-1), clip: () => clip.neighbour(-1) }) },
    { group: "Move", keys: ["ArrowRight"], shown: ["←", "→"], label: "Next or previous clip; a second, where something plays", act: by({ grid: () => grid.move(1), film: () => film.nudge(1), clip: () => stage.nudge(1) }) },
    { group: "Move", keys: ["ArrowLeft"], act: by({ grid: () => grid.move(-1), film: () => film.nudge(-1), clip: () => stage.nudge(-1) }) },
    { group: "Move", keys: ["ArrowDown"], shown: ["↑", "↓"], label: "A row up or down", views: ["grid"], act: () => grid.row(1) },
    { group: "Move", keys: ["ArrowUp"], views: ["grid"], act: () => grid.row(-1) },
    { group: "Move", keys: ["Enter"], shown: ["Enter"], label: "Open the clip", views: ["grid", "film"], act: onClip((id) => { location.hash = Gallery.card.address(id); }) },
    { group: "Move", keys: ["Escape"], shown: ["Esc"], label: "Back; clear the filter", act: by({ grid: filters.clear, film: go("#/"), changes: go("#/"), clip: () => { location.hash = Gallery.main.home(); } }) },
    { group: "Look", keys: [" "], shown: ["Space"], label: "Play and pause", act: by({ grid: () => grid.toggle(), film: film.toggle, changes: changes.toggle, clip: () => stage.toggle() }) },
    { group: "Look", keys: [","], shown: [",", "."], label: "A frame back or on (clip page)", views: ["clip"], act: () => stage.frame(-1) },
    { group: "Look", keys: ["."], views: ["clip"], act: () => stage.frame(1) },
    { group: "Look", keys: ["c"], shown: ["c"], label: "Compare: takes, before and after, alone (clip page)", views: ["clip"], act: clip.cycle },
    { group: "Look", keys: ["/"], shown: ["/"], label: "Filter", act: filters.focus },
    { group: "Look", keys: ["g"], shown: ["g"], label: "Grid", act: go("#/") },
    { group: "Look", keys: ["s"], shown: ["s"], label: "Storyboard", act: go("#/storyboard") },
    { group: "Look", keys: ["b"], shown: ["b"], label: "Before and after, in a report that compares", act: () => { if (store.state.head.since) location.hash = "#/changes"; } },
    { group: "Look", keys: ["t"], shown: ["t"], label: "Light, dark, as the system", act: head.theme },
    { group: "Do", keys: [..."123456789"], shown: ["1", "…", "9"], label: "Pick a take of the selected clip", live: true, act: takes },
    { group: "Do", keys: ["a"], shown: ["a"], label: "Apply the selected clip (asks, with the price)", live: true, act: () => dialogs.apply(store.state.selected) },
    { group: "Do", keys: ["A"], shown: ["A"], label: "Apply everything (asks, with the price)", live: true, act: () => dialogs.apply(null) },
    { group: "Do", keys: ["r"], shown: ["r"], label: "Retake: a new variation", live: true, act: onClip(clip.retake) },
    { group: "Do", keys: ["o"], shown: ["o"], label: "Open the YAML at the clip", live: true, act: onClip(clip.open) },
    { group: "Do", keys: ["x"], shown: ["x"], label: "Skip what waits", live: true, act: head.skip },
    { group: "Do", keys: ["?"], shown: ["?"], label: "This help", act: dialogs.help },
  ];
  const byKey = new Map(table.flatMap((row) => row.keys.map((key) => [key, row])));

  /** Where a key has a meaning of its own already. */
  function taken(event) {
    const { target, key } = event;
    if (target.closest("input[type=search], textarea, select, [contenteditable]")) return key !== "Escape";
    if (target.closest("input[type=range]")) return key.startsWith("Arrow");
    if (target.closest("button, a, summary")) return key === "Enter" || (key === " " && !target.closest("a"));
    return false;
  }

  function press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (dialogs.isOpen()) return;
    if (event.target === find("filter-text") && event.key === "Escape") return void leave(event);
    if (event.target === find("filter-text") && (event.key === "Enter" || event.key === "ArrowDown")) return void into(event);
    if (taken(event)) return;
    const row = byKey.get(event.key);
    if (!row || (row.views && !row.views.includes(view())) || (row.live && !Gallery.source.live)) return;
    event.preventDefault();
    row.act(event.key);
  }

  /** Escape in the filter: empty it first, then go back to the clips. */
  function leave(event) {
    event.preventDefault();
    if (event.target.value) filters.clear();
    else event.target.blur();
  }

  function into(event) {
    if (view() !== "grid") return;
    event.preventDefault();
    grid.go(store.neighbour(0));
  }

  const start = () => addEventListener("keydown", press);

  return { table, start };
})();
