"use strict";
// The theme: light, dark, or the system's. Loaded before the first paint, so a dark page never flashes white.

/** The only global name of the page; every script adds a part. */
const Gallery = {};

Gallery.theme = (() => {
  const NAME = "clipform-theme";
  const NEXT = { auto: "light", light: "dark", dark: "auto" };

  function read() {
    try {
      const stored = localStorage.getItem(NAME);
      return stored in NEXT ? stored : "auto";
    } catch {
      return "auto"; // storage may be disabled, also for a page from disk
    }
  }

  function set(theme) {
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(NAME, theme);
    } catch {
      // the choice then lasts as long as the page
    }
    return theme;
  }

  document.documentElement.dataset.theme = read();
  return {
    current: () => document.documentElement.dataset.theme,
    next: () => set(NEXT[document.documentElement.dataset.theme]),
  };
})();
