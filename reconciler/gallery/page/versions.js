"use strict";
// The versions of a take, the oldest first. Two of them play side by side; an earlier one can be declared again.

Gallery.versions = (() => {
  const { h, foreign, media, button } = Gallery.dom;
  const { money, age, day, plainly } = Gallery.format;
  const { store, source, messages } = Gallery;
  const SIGNS = { "-": "del", "+": "ins" };
  let chosen = []; // the keys of at most two versions, the one chosen last at the end
  let clip = null;

  /** Return the tiles of the two chosen versions, in their order; null while fewer are chosen. */
  function tiles(detail) {
    const pair = detail.versions.filter((version) => chosen.includes(version.key));
    if (clip !== detail.card.id || pair.length < 2) return null;
    return pair.map((version) => ({ title: title(version), media: version.media, reason: missing(version, detail), price: version.current ? Gallery.card.current(detail).price : "",
      take: { cost: version.cost, created: version.time, media: version.media, state: version.current ? detail.card.state : "ready" } }));
  }

  const title = ({ number, current }) => `Version ${number}${current ? " (current)" : ""}`;
  const missing = (version, detail) => (version.time ? "no longer stored here" : Gallery.card.current(detail).reason);

  /** Choose a version to play beside the one chosen before it, at first beside the current one. */
  function choose(detail, key) {
    const current = detail.versions.find((version) => version.current);
    if (clip !== detail.card.id) chosen = current ? [current.key] : [];
    clip = detail.card.id;
    chosen = chosen.includes(key) && chosen.length > 1 ? chosen.filter((each) => each !== key) : [...chosen.filter((each) => each !== key), key].slice(-2);
  }

  /** Return the section with all versions of the takes that have several; `onChoose` shows the two that are chosen. */
  function strip(detail, onChoose) {
    if (!detail.versions.length) return null;
    const { versions } = detail;
    const takes = [...new Set(versions.map((version) => version.take))];
    return h("section", { class: "part" }, h("h2", {}, "Versions"), takes.map((take) => [detail.takes.length > 1 && h("h3", {}, `Take ${take}`),
      h("ol", { class: "versions", "aria-label": `Versions of take ${take}` }, versions.filter((version) => version.take === take).map((version) => item(detail, version, onChoose)))]));
  }

  function item(detail, version, onChoose) {
    const poster = version.media && media(version.media.poster);
    const pressed = clip === detail.card.id ? chosen.includes(version.key) : version.current;
    const current = detail.versions.find((each) => each.current && each.take === version.take);
    const facts = [version.cost ? money(version.cost) : "", version.time ? age(version.time, store.now()) : missing(version, detail)].filter(Boolean).join(" · ");
    return h("li", { class: "version" }, button("", { class: "version-button", "data-key": `version-${version.key}`, "aria-pressed": String(pressed), title: version.time ? day(version.time) : null,
      on: { click: () => { choose(detail, version.key); onChoose(); } } }, h("span", { class: "thumb" }, poster && h("img", { src: poster, alt: "", loading: "lazy" })), h("strong", {}, title(version)), h("span", { class: "quiet" }, facts)),
    h("p", { class: "version-changes", dir: "auto" }, version.changes.map(change)),
    source.acts() && detail.card.file && current && !version.current && button("", { class: "button small", "data-key": `use-${version.key}`, title: "Write its fields into the YAML; this costs nothing",
      on: { click: () => messages.act("use", { clip: detail.card.id, take: version.take, key: version.key, current: current.key }) } }, "Use this version"));
  }

  /** Return a change in a few words: of a prompt only what differs. */
  function change({ field, before, after, words }) {
    const runs = (words || []).filter(([sign]) => SIGNS[sign]).map(([sign, text]) => h(SIGNS[sign], {}, text));
    return h("span", {}, foreign("span", { class: "quiet" }, `${field.replaceAll("_", " ")} `), words ? runs : [before !== null && h("del", {}, plainly(before)), after !== null && h("ins", {}, plainly(after))]);
  }

  return { tiles, strip, change };
})();
