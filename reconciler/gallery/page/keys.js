"use strict";
// All keys of the page, in one table. Key presses and the help use the same rows; `caps` are the keys in the help.

Gallery.keys = (() => {
  const { find } = Gallery.dom;
  const { store, grid, film, stage, clip, changes, filters, dialogs, head } = Gallery;
  const view = () => store.state.route.view;
  const by = (actions) => (...args) => (actions[view()] || (() => {}))(...args);
  const go = (hash) => () => { location.hash = hash; };

  function pickTake(key) {
    const id = store.state.selected;
    if (id !== null) clip.choose(id, Number(key));
  }

  const onClip = (action) => () => { if (store.state.selected !== null) action(store.state.selected); };

  const table = [
    { group: "Move", keys: ["j"], caps: ["j"], label: "Next clip", act: by({ grid: () => grid.move(1), film: () => film.step(1), changes: () => changes.move(1), clip: () => clip.neighbour(1) }) },
    { group: "Move", keys: ["k"], caps: ["k"], label: "Previous clip", act: by({ grid: () => grid.move(-1), film: () => film.step(-1), changes: () => changes.move(-1), clip: () => clip.neighbour(-1) }) },
    { group: "Move", keys: ["ArrowRight"], caps: ["←", "→"], label: "Previous or next clip; on a player: one second back or on", act: by({ grid: () => grid.move(1), film: () => film.nudge(1), clip: () => stage.nudge(1) }) },
    { group: "Move", keys: ["ArrowLeft"], act: by({ grid: () => grid.move(-1), film: () => film.nudge(-1), clip: () => stage.nudge(-1) }) },
    { group: "Move", keys: ["ArrowDown"], caps: ["↑", "↓"], label: "Move one row up or down", views: ["grid"], act: () => grid.row(1) },
    { group: "Move", keys: ["ArrowUp"], views: ["grid"], act: () => grid.row(-1) },
    { group: "Move", keys: ["Enter"], caps: ["Enter"], label: "Open the clip", views: ["grid", "film"], act: onClip((id) => { location.hash = Gallery.card.address(id); }) },
    { group: "Move", keys: ["Escape"], caps: ["Esc"], label: "Back, or clear the filter", act: by({ grid: filters.clear, film: go("#/"), changes: go("#/"), clip: () => { location.hash = Gallery.main.home(); } }) },
    { group: "View", keys: [" "], caps: ["Space"], label: "Play or pause", act: by({ grid: () => grid.toggle(), film: film.toggle, changes: changes.toggle, clip: () => stage.toggle() }) },
    { group: "View", keys: [","], caps: [",", "."], label: "One frame back or forward (clip page)", views: ["clip"], act: () => stage.frame(-1) },
    { group: "View", keys: ["."], views: ["clip"], act: () => stage.frame(1) },
    { group: "View", keys: ["c"], caps: ["c"], label: "Switch between comparison, takes and single clip (clip page)", views: ["clip"], act: clip.cycle },
    { group: "View", keys: ["/"], caps: ["/"], label: "Filter", act: filters.focus },
    { group: "View", keys: ["g"], caps: ["g"], label: "Grid", act: go("#/") },
    { group: "View", keys: ["s"], caps: ["s"], label: "Storyboard", act: go("#/storyboard") },
    { group: "View", keys: ["b"], caps: ["b"], label: "Before and after (report with a comparison)", act: () => { if (store.state.head.since) location.hash = "#/changes"; } },
    { group: "View", keys: ["t"], caps: ["t"], label: "Theme: light, dark, system", act: head.theme },
    { group: "Actions", keys: [..."123456789"], caps: ["1", "…", "9"], label: "Pick a take of the selected clip", live: true, act: pickTake },
    { group: "Actions", keys: ["a"], caps: ["a"], label: "Apply the selected clip (asks first and shows the price)", live: true, act: () => dialogs.apply(store.state.selected) },
    { group: "Actions", keys: ["A"], caps: ["A"], label: "Apply everything (asks first and shows the price)", live: true, act: () => dialogs.apply(null) },
    { group: "Actions", keys: ["r"], caps: ["r"], label: "Retake: request a new variation", live: true, act: onClip(clip.retake) },
    { group: "Actions", keys: ["e"], caps: ["e"], label: "Edit the prompt (clip page)", views: ["clip"], live: true, act: onClip(Gallery.prompt.open) },
    { group: "Actions", keys: ["o"], caps: ["o"], label: "Open the clip's YAML", live: true, act: onClip(clip.openFile) },
    { group: "Actions", keys: ["x"], caps: ["x"], label: "Skip the waiting plan", live: true, act: head.skip },
    { group: "Actions", keys: ["?"], caps: ["?"], label: "Show this help", act: dialogs.help },
  ];
  const choice = Gallery.choice("clipform-keys");
  let characters = choice.read() !== "off"; // keys of one character act; speech input and a slip of the hand type them too
  const byKey = new Map(table.flatMap((row) => row.keys.map((key) => [key, row])));

  /** True if the focused element handles the key itself. */
  function isHandled(event) {
    const { target, key } = event;
    if (target.closest("input[type=search], textarea, select, [contenteditable]")) return key !== "Escape";
    if (target.closest("input[type=range]")) return key.startsWith("Arrow");
    if (target.closest("button, a, summary")) return key === "Enter" || (key === " " && !target.closest("a"));
    return false;
  }

  function press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (dialogs.isOpen()) return;
    if (event.target === find("filter-text") && event.key === "Escape") return void leaveFilter(event);
    if (event.target === find("filter-text") && (event.key === "Enter" || event.key === "ArrowDown")) return void enterGrid(event);
    if (isHandled(event) || (!characters && event.key.length === 1 && event.key !== " ")) return;
    const row = byKey.get(event.key);
    if (!row || (row.views && !row.views.includes(view())) || (row.live && !Gallery.source.acts())) return;
    event.preventDefault();
    row.act(event.key);
  }

  /** Handle Escape in the filter: clear it; if it is empty, leave it. */
  function leaveFilter(event) {
    event.preventDefault();
    if (event.target.value) filters.clear();
    else event.target.blur();
  }

  function enterGrid(event) {
    if (view() !== "grid") return;
    event.preventDefault();
    grid.go(store.neighbour(0));
  }

  function useCharacters(on) {
    characters = on;
    choice.write(on ? "on" : "off");
  }

  const start = () => addEventListener("keydown", press);

  return { table, start, useCharacters, usesCharacters: () => characters };
})();
