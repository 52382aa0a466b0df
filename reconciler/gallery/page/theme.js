"use strict";
// Light, dark, or as the system says. Loaded before the first paint, so that a dark page never flashes white.

/** The one global name of the page; every script adds its part. */
const Gallery = {};

Gallery.theme = (() => {
  const NAME = "clipform-theme";
  const NEXT = { auto: "light", light: "dark", dark: "auto" };

  function read() {
    try {
      const kept = localStorage.getItem(NAME);
      return kept in NEXT ? kept : "auto";
    } catch {
      return "auto"; // storage may be refused, for a page from disk as well
    }
  }

  function set(theme) {
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(NAME, theme);
    } catch {
      // the choice then lives as long as the page
    }
    return theme;
  }

  document.documentElement.dataset.theme = read();
  return {
    current: () => document.documentElement.dataset.theme,
    next: () => set(NEXT[document.documentElement.dataset.theme]),
  };
})();
