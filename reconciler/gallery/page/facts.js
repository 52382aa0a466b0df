"use strict";
// What is written on the clip page: the prompt with its changes, fields, inputs, who needs whom, facts, events.

Gallery.facts = (() => {
  const { h, foreign, picture } = Gallery.dom;
  const { money, name, day, span, bytes, place } = Gallery.words;
  const { card: cards, store } = Gallery;
  const SIGNS = { "-": "del", "+": "ins" };

  const section = (title, ...children) => h("section", { class: "part" }, h("h2", {}, title), ...children);

  /** A link to another clip, or its name alone when there is no such clip here. */
  function link(id) {
    const parted = name(id);
    const text = [parted.main, parted.variant && h("span", { class: "variant" }, parted.variant)];
    return store.card(id) ? h("a", { class: "clip-link", dir: "auto", href: cards.address(id) }, ...text) : h("span", { dir: "auto" }, ...text);
  }

  /** What differs: from what a report compares with, else from what the clip held before. */
  const differences = (detail) => (detail.before ? detail.before.changes : detail.changes);

  function prompt(detail) {
    const change = differences(detail).find((each) => each.field === "prompt" && each.words);
    const text = change ? change.words.map(([sign, words]) => (SIGNS[sign] ? h(SIGNS[sign], {}, words) : words)) : detail.card.prompt;
    return section("Prompt", detail.card.prompt || change ? h("p", { class: "prompt", dir: "auto" }, text) : h("p", { class: "quiet" }, "No prompt."));
  }

  function changes(detail) {
    const fields = differences(detail).filter((each) => !each.words);
    if (!fields.length) return null;
    return section("Changed", h("table", { class: "changes" }, h("thead", {}, h("tr", {}, ["Field", "Before", "Now"].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, fields.map((each) => h("tr", {}, foreign("th", { scope: "row" }, each.field), cell(each.before, "del"), cell(each.after, "ins"))))));
  }

  const cell = (text, tag) => h("td", { dir: "auto" }, text === null ? h("span", { class: "quiet" }, "not set") : h(tag, {}, text));

  function inputs(detail) {
    if (!detail.inputs.length) return null;
    return section("Inputs", h("ul", { class: "inputs" }, detail.inputs.map((input) => {
      const source = picture(input.media);
      const made = input.clip && store.card(input.clip);
      const still = made && made.shown ? picture(made.shown.poster) : null;
      const image = (source || still) && h("img", { src: source || still, alt: "", loading: "lazy" });
      if (image) image.addEventListener("error", () => image.remove());
      return h("li", {}, h("span", { class: "thumb" }, image), h("span", { class: "input-text" }, h("span", { class: "field" }, input.field.replaceAll("_", " ")),
        input.clip ? h("span", {}, `${(input.part || "").replaceAll("_", " ")} of `, link(input.clip)) : foreign("span", {}, input.text)));
    })));
  }

  function dependencies({ card }) {
    if (!card.needs.length && !card.used_by.length) return null;
    const row = (title, ids) => ids.length > 0 && h("div", { class: "depends" }, h("h3", {}, title), h("ul", { class: "links" }, ids.map((id) => h("li", {}, link(id)))));
    return section("Depends", row("Needs", card.needs), row("Used by", card.used_by));
  }

  const pairs = (found) => h("dl", { class: "facts" }, found.filter(([, value]) => value !== "" && value !== null && value !== undefined)
    .map(([term, value]) => h("div", {}, foreign("dt", {}, term.replaceAll("_", " ")), value instanceof Node ? h("dd", {}, value) : foreign("dd", {}, String(value)))));

  function facts(detail) {
    const { card } = detail;
    const take = detail.takes.find((each) => each.picked) || detail.takes[0] || {};
    const file = place(card.file);
    return section("Facts", pairs([
      ["provider", [card.provider, card.model].filter(Boolean).join(" · ")],
      ["cost", card.cost ? money(card.cost) : ""],
      ["would cost", card.apply ? money(card.estimate) : ""],
      ["made", card.created ? day(card.created) : ""],
      ["took", take.took ? span(take.took) : ""],
      ["origin", take.origin && take.origin !== "generated" ? take.origin : ""],
      ["seed", take.seed],
      ["task", take.task && h("code", { dir: "auto" }, take.task)],
      ["account", take.account !== card.provider ? take.account : ""],
      ["attempt", take.state === "ready" ? "" : take.attempt],
      ["picture", card.shown && card.shown.width ? `${card.shown.width} × ${card.shown.height}, ${card.shown.seconds} s, ${bytes(card.shown.bytes)}` : ""],
      ["output", card.output && h("code", { dir: "auto" }, card.output)],
      ["declared", file && h("code", { dir: "auto" }, file)],
      ["tags", card.tags.join(", ")],
      ["key", take.key && h("code", { dir: "auto" }, take.key)],
    ]), identity(detail));
  }

  /** What the key is computed from, folded away: it is for the moment when somebody asks why. */
  function identity(detail) {
    const found = detail.facts.filter(([field]) => field !== "prompt" && field !== "key");
    return found.length > 0 && h("details", {}, h("summary", { "data-key": "identity" }, "What shapes the picture"), pairs(found));
  }

  function events(detail) {
    if (!detail.events.length) return null;
    return section("Events", h("ol", { class: "events" }, [...detail.events].reverse().map((event) => h("li", {},
      h("time", { datetime: event.time, title: event.time }, day(event.time)), foreign("strong", {}, event.type), foreign("span", {}, event.detail)))));
  }

  function trouble({ card }) {
    if (!["blocked", "failed"].includes(card.state) && !card.way_out.length && !card.mismatch) return null;
    return h("section", { class: "part trouble", "data-state": card.state }, h("h2", {}, card.state === "ready" ? "Not what was asked for" : card.sentence),
      foreign("p", {}, card.mismatch || (card.detail === card.sentence ? "" : card.detail)),
      card.way_out.length > 0 && h("p", { class: "field" }, card.way_out.length > 1 ? "Ways out" : "The way out"),
      card.way_out.map((command) => h("pre", { dir: "auto" }, command)));
  }

  return { prompt, changes, inputs, dependencies, facts, events, trouble };
})();
