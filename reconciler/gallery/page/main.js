"use strict";
// The router, from the address to a view: #/ · #/storyboard · #/changes · #/clip/ID.

Gallery.main = (() => {
  const { find } = Gallery.dom;
  const { store, source, grid, film, clip, changes } = Gallery;
  const VIEWS = { grid, film, clip, changes };
  const ADDRESSES = { "#/storyboard": "film", "#/changes": "changes" };
  let current = null;
  let home = "#/"; // the target of "back" on a clip page

  function parse(hash) {
    const match = /^#\/clip\/(.+)$/.exec(hash);
    if (match) {
      try {
        return { view: "clip", id: decodeURIComponent(match[1]) };
      } catch {
        return { view: "grid", id: null }; // an invalid escape in the address
      }
    }
    return { view: ADDRESSES[hash] || "grid", id: null };
  }

  function route() {
    const next = parse(location.hash);
    if (current) VIEWS[current].exit();
    if (next.view !== "clip") home = Object.keys(ADDRESSES).find((hash) => ADDRESSES[hash] === next.view) || "#/";
    current = next.view;
    for (const view of Object.keys(VIEWS)) find(`view-${view}`).hidden = view !== next.view;
    document.body.dataset.view = next.view;
    store.route(next);
    VIEWS[next.view].enter(next.id);
  }

  function start() {
    Gallery.head.start();
    Gallery.filters.start();
    Gallery.keys.start();
    grid.start();
    film.start();
    clip.start();
    changes.start();
    addEventListener("hashchange", route);
    source.start((message) => Gallery.messages.show(message));
    if (!location.hash && store.state.head && store.state.head.since) location.replace("#/changes"); // which routes
    else route();
  }

  return { start, home: () => home };
})();

Gallery.main.start();
