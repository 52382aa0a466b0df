"use strict";
// Creates all nodes of the page. Texts come from specs, providers and files: they become text nodes and plain attributes,
// never markup, and a media address is accepted only under media/ of this page.

Gallery.dom = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const PICTURE = /^data:image\/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/=]+$/;
  const MEDIA = /^media\/[\w.%-]+(?:\/[\w.%-]+)*$/;
  const ICONS = {
    back: "M15 5l-7 7 7 7",
    play: "M8 5.5v13l10.5-6.5z",
    pause: "M8 5.5v13M16 5.5v13",
    sound: "M4 9.5v5h3.5L12 18V6L7.5 9.5zM15.5 9a4 4 0 010 6M18 6.5a7.5 7.5 0 010 11",
    muted: "M4 9.5v5h3.5L12 18V6L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
    auto: "M12 4a8 8 0 100 16zM12 4a8 8 0 010 16",
    light: "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
    dark: "M19.5 14.5A8 8 0 019.5 4.5a8 8 0 1010 10z",
    help: "M9 9.2a3 3 0 115 2.2c-1.2 1-2 1.5-2 2.900M12 17.6v.2",
    previous: "M15 5l-7 7 7 7",
    next: "M9 5l7 7-7 7",
    check: "M5 12.5l4.5 4.5L19 7.5",
  };
  const FILLED = new Set(["play"]);

  /** Create an element; `attributes` are text, true (present) or null/false (absent); `on` contains listeners. */
  function h(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "on") {
        for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
      } else if (value === true) {
        node.setAttribute(name, "");
      } else if (value !== null && value !== undefined && value !== false) {
        node.setAttribute(name, String(value));
      }
    }
    node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
    return node;
  }

  function icon(name) {
    const svg = document.createElementNS(SVG, "svg");
    const path = document.createElementNS(SVG, "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", FILLED.has(name) ? "icon filled" : "icon");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  /** Replace the children of a node. */
  function fill(node, ...children) {
    node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
    return node;
  }

  /** Set a text only if it differs: an untouched node keeps its selection and needs no layout. */
  function write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  /** Create an element with user text, whose writing direction cannot affect its neighbours. */
  function foreign(tag, attributes, text) {
    return h(tag, { dir: "auto", ...attributes }, text);
  }

  const SCRIPTS = [[/[\u3040-\u30ff]/, "ja"], [/[\uac00-\ud7af]/, "ko"], [/[\u3400-\u9fff]/, "zh"]];
  const segmenters = new Map();

  /** Return the language of a text by its script, null for one that needs no care where its lines break. */
  const language = (text) => (SCRIPTS.find(([script]) => script.test(text)) || [null, null])[1];

  /** Return a text with places for line breaks between words, in languages that write no spaces (see `.cjk`). */
  function breakable(text, locale = language(text)) {
    if (!locale || !window.Intl || !Intl.Segmenter) return text;
    if (!segmenters.has(locale)) segmenters.set(locale, new Intl.Segmenter(locale, { granularity: "word" }));
    const words = [...segmenters.get(locale).segment(text)];
    return words.flatMap(({ segment, isWordLike }, at) => (isWordLike && at ? [h("wbr"), segment] : [segment]));
  }

  /** Write sentences into a node, whose lines then break between words in every language; `runs`: as marked up. */
  function sentences(node, text, runs = breakable(text)) {
    const locale = language(text);
    node.classList.toggle("cjk", locale !== null);
    if (locale) node.lang = locale;
    else node.removeAttribute("lang");
    return fill(node, runs);
  }

  /** Return the address of a picture or video, or null if it is not under media/. */
  function media(address) {
    return typeof address === "string" && MEDIA.test(address) && !address.includes("..") ? address : null;
  }

  /** Return the address of an input's picture: under media/, or a data URL. */
  const picture = (address) => (typeof address === "string" && PICTURE.test(address) ? address : media(address));

  function button(label, attributes, ...children) {
    return h("button", { type: "button", class: "button", ...attributes }, ...(children.length ? children : [label]));
  }

  const find = (id) => document.getElementById(id);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  return { h, icon, fill, write, foreign, language, breakable, sentences, media, picture, button, find, calm: () => calm.matches };
})();
