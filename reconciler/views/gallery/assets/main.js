"use strict";
// From the address to a view: #/ · #/storyboard · #/clip/ID.

Gallery.main = (() => {
  const { find } = Gallery.dom;
  const { store, source, grid, film, clip } = Gallery;
  const VIEWS = { grid, film, clip };
  let current = null;
  let home = "#/"; // where "back" leads from a clip page

  function parse(hash) {
    const found = /^#\/clip\/(.+)$/.exec(hash);
    if (found) {
      try {
        return { view: "clip", id: decodeURIComponent(found[1]) };
      } catch {
        return { view: "grid", id: null }; // a broken escape in the address
      }
    }
    return { view: hash === "#/storyboard" ? "film" : "grid", id: null };
  }

  function route() {
    const next = parse(location.hash);
    if (current) VIEWS[current].exit();
    if (next.view !== "clip") home = next.view === "film" ? "#/storyboard" : "#/";
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
    addEventListener("hashchange", route);
    source.start((message) => Gallery.messages.show(message));
    route();
  }

  return { start, home: () => home };
})();

Gallery.main.start();
