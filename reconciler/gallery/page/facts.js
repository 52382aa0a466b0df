"use strict";
// The text sections of the clip page: prompt, changes, inputs, dependencies, facts, events.

Gallery.facts = (() => {
  const { h, foreign, picture, button, language, breakable, sentences } = Gallery.dom;
  const { money, name, day, exactly, span, bytes, place, plainly } = Gallery.format;
  const { card: cards, store, source } = Gallery;
  const SIGNS = { "-": "del", "+": "ins" };

  const section = (title, ...children) => h("section", { class: "part" }, h("h2", {}, title), ...children);

  /** Return a link to another clip, or only its name if it has no card. */
  function link(id) {
    const title = name(id);
    const text = [title.main, title.variant && h("span", { class: "variant" }, title.variant)];
    return store.row(id) ? h("a", { class: "clip-link", dir: "auto", href: cards.address(id) }, ...text) : h("span", { dir: "auto" }, ...text);
  }

  /** Return the differences from the comparison of a report, else from the previous result. */
  const differences = (detail) => (detail.before ? detail.before.changes : detail.changes);

  function prompt(detail) {
    const change = differences(detail).find((each) => each.field === "prompt" && each.words);
    const locale = language(detail.card.prompt);
    const text = change ? change.words.map(([sign, text]) => (SIGNS[sign] ? h(SIGNS[sign], {}, breakable(text, locale)) : breakable(text, locale))) : breakable(detail.card.prompt, locale);
    const { id, file } = detail.card;
    const editor = Gallery.prompt.of(id);
    const edit = !editor && source.acts() && file && button("", { class: "link-button", "data-key": "edit", "aria-keyshortcuts": "e", on: { click: () => Gallery.prompt.open(id) } }, "Edit");
    return section("Prompt", editor || (detail.card.prompt || change ? sentences(h("p", { class: "prompt", dir: "auto" }), detail.card.prompt, text) : h("p", { class: "quiet" }, "No prompt.")), edit);
  }

  function changes(detail) {
    const fields = differences(detail).filter((each) => !each.words);
    if (!fields.length) return null;
    return section("Changed", h("table", { class: "changes" }, h("thead", {}, h("tr", {}, ["Field", "Before", "Now"].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, fields.map((each) => h("tr", {}, foreign("th", { scope: "row" }, each.field), cell(each.before, "del"), cell(each.after, "ins"))))));
  }

  const cell = (text, tag) => h("td", { dir: "auto" }, text === null ? h("span", { class: "quiet" }, "not set") : h(tag, {}, plainly(text)));

  function inputs(detail) {
    if (!detail.inputs.length) return null;
    return section("Inputs", h("ul", { class: "inputs" }, detail.inputs.map((input) => {
      const source = picture(input.media);
      const card = input.clip && store.card(input.clip);
      const poster = card && card.shown ? picture(card.shown.poster) : null;
      const image = (source || poster) && h("img", { src: source || poster, alt: "", loading: "lazy" });
      if (image) image.addEventListener("error", () => image.remove());
      return h("li", {}, h("span", { class: "thumb" }, image), h("span", { class: "input-text" }, h("span", { class: "field" }, input.field.replaceAll("_", " ")),
        input.clip ? h("span", {}, `${(input.part || "").replaceAll("_", " ")} of `, link(input.clip)) : foreign("span", {}, input.text)));
    })));
  }

  function dependencies({ card }) {
    if (!card.needs.length && !card.used_by.length) return null;
    const row = (title, ids) => ids.length > 0 && h("div", { class: "depends" }, h("h3", {}, title), h("ul", { class: "links" }, ids.map((id) => h("li", {}, link(id)))));
    return section("Dependencies", row("Needs", card.needs), row("Used by", card.used_by));
  }

  const pairs = (entries) => h("dl", { class: "facts" }, entries.filter(([, value]) => value !== "" && value !== null && value !== undefined)
    .map(([term, value]) => h("div", {}, foreign("dt", {}, term.replaceAll("_", " ")), value instanceof Node ? h("dd", {}, value) : foreign("dd", {}, plainly(String(value))))));

  function facts(detail) {
    const { card } = detail;
    const take = detail.takes.find((each) => each.picked) || detail.takes[0] || {};
    const file = place(card.file);
    return section("Facts", pairs([
      ["provider", [card.provider, card.model].filter(Boolean).join(" · ")],
      ["cost", card.cost ? money(card.cost) : ""],
      ["estimated cost", card.due ? [Gallery.card.price(card), card.estimate && card.estimate.source && `(${card.estimate.source})`].filter(Boolean).join(" ") : ""],
      ["generated", card.created ? day(card.created) : ""],
      ["took", take.took ? span(take.took) : ""],
      ["origin", take.origin && take.origin !== "generated" ? take.origin : ""],
      ["seed", take.seed],
      ["task", take.task && h("code", { dir: "auto" }, take.task)],
      ["account", take.account !== card.provider && !card.pieces.length ? take.account : ""],
      ["attempt", take.state === "ready" ? "" : take.attempt],
      ["video", card.shown && card.shown.width ? `${card.shown.width} × ${card.shown.height}, ${card.shown.seconds} s, ${bytes(card.shown.bytes)}` : ""],
      ["output", card.output && h("code", { dir: "auto" }, card.output)],
      ["declared", file && h("code", { dir: "auto" }, file)],
      ["tags", card.tags.join(", ")],
      ["key", take.key && h("code", { dir: "auto", title: take.key }, plainly(take.key))],
    ]), identity(detail));
  }

  /** Return the fields that the key is computed from, collapsed. */
  function identity(detail) {
    const fields = detail.facts.filter(([field]) => field !== "prompt" && field !== "key");
    return fields.length > 0 && h("details", {}, h("summary", { "data-key": "identity" }, "Fields that determine the key"), pairs(fields));
  }

  function events(detail) {
    if (!detail.events.length) return null;
    return section("Events", h("ol", { class: "events", tabindex: "0", "aria-label": "Events, newest first" }, [...detail.events].reverse().map((event) => h("li", {},
      h("time", { datetime: event.time, title: exactly(event.time) }, day(event.time)), foreign("span", {}, plainly(event.detail))))));
  }

  function problem({ card }) {
    if (!["blocked", "failed"].includes(card.state) && !card.way_out.length && !card.mismatch) return null;
    return h("section", { class: "part trouble", "data-state": card.state }, h("h2", {}, card.state === "ready" ? "The result differs from the request" : card.sentence),
      foreign("p", {}, plainly(card.mismatch || (card.detail === card.sentence ? "" : card.detail))),
      card.way_out.length > 0 && h("p", { class: "field" }, "Next"),
      card.way_out.map((command) => h("pre", { dir: "auto" }, command)));
  }

  return { prompt, changes, inputs, dependencies, facts, events, problem };
})();
