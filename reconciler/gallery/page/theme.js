"use strict";
// The theme: light, dark, or the system's. Loaded before the first paint, so a dark page never flashes white.

/** The only global name of the page; every script adds a part. */
const Gallery = {};

/** A choice that the browser remembers. Storage may be disabled, also for a page from disk: then it lasts as long as the page. */
Gallery.choice = (name) => ({
  read() {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  },
  write(value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // see above
    }
  },
});

Gallery.theme = (() => {
  const NEXT = { auto: "light", light: "dark", dark: "auto" };
  const choice = Gallery.choice("clipform-theme");
  const stored = choice.read();

  function set(theme) {
    document.documentElement.dataset.theme = theme;
    choice.write(theme);
    return theme;
  }

  document.documentElement.dataset.theme = stored in NEXT ? stored : "auto";
  return {
    current: () => document.documentElement.dataset.theme,
    next: () => set(NEXT[document.documentElement.dataset.theme]),
  };
})();
