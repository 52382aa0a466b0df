"use strict";
// The two dialogs: a confirmation with the clips and their price, and the keyboard help.

Gallery.dialogs = (() => {
  const { h, fill, find, foreign, media, button } = Gallery.dom;
  const { money, total, name, count, free, span, others } = Gallery.format;
  const { store, source, messages } = Gallery;
  const MAX_LISTED = 8;

  const isOpen = () => document.querySelector("dialog[open]") !== null;

  /** Ask before a plan is applied: for one clip with its dependencies, or for everything (`null`). */
  function apply(id) {
    const { head } = store.state;
    if (!source.acts() || isOpen() || head === null) return;
    if (store.state.connection !== "live") return void messages.show({ text: "clipform does not answer, so nothing can be applied now." });
    if (head.stale) return void messages.show({ text: "The project has problems. Fix them first: the page shows an older plan." });
    const offer = id === null ? wholePlan(head) : oneClip(store.card(id));
    if (!offer) return void messages.show({ text: id === null ? "Nothing to do: everything is up to date." : `Nothing to do for ${id}.` });
    confirm(offer, head);
  }

  function wholePlan(head) {
    if (!Gallery.head.hasSteps(head)) return null;
    return { title: "Apply the whole plan?", clips: null, cost: head.cost, expected: head.expected, cascades: head.cascades, names: store.state.order.filter((id) => store.row(id).applies) };
  }

  function oneClip(card) {
    if (!card || !card.apply) return null;
    return { title: "Apply", of: card.id, clips: [card.id], cost: card.apply, expected: card.apply.expected, names: [...card.apply.with, card.id] };
  }

  function confirm(offer, { revision, session }) {
    const dialog = find("confirm");
    const price = total(offer.cost);
    const accept = button("", { class: "button primary", id: "confirm-go", on: { click: () => send(dialog, offer, revision) } }, `Apply · ${price}`);
    const cancel = button("Cancel", { id: "confirm-cancel", on: { click: () => dialog.close() } });
    const rows = offer.names.slice(0, MAX_LISTED).map((id) => row(id, !offer.of || id === offer.of));
    fill(dialog,
      h("h2", { id: "confirm-title" }, offer.title, offer.of && [" ", h("bdi", {}, offer.of), "?"]),
      h("ul", { class: "confirm-list" }, rows),
      offer.names.length > MAX_LISTED && h("p", { class: "quiet" }, `and ${count(offer.names.length - MAX_LISTED, "more clip").replace("clips", "clips")}`),
      h("p", { class: "confirm-sum" }, h("span", {}, free(offer.cost) && !offer.cost.unpriced ? "Free" : offer.cost.least ? "Cost" : "Maximum cost"), h("strong", {}, price)),
      (offer.cascades || []).map(({ sentence }) => foreign("p", { class: "quiet" }, sentence)),
      offer.expected && h("p", { class: "quiet" }, `It takes about ${span(offer.expected)}.`),
      offer.cost.unpriced > 0 && h("p", { class: "warn" }, `No price is known for ${count(offer.cost.unpriced, "generation")}. The provider decides the cost.`),
      session && session.cap !== null && h("p", { class: "quiet" }, `Spent in this session: ${money({ amount: session.spent, currency: session.currency })} of ${money({ amount: session.cap, currency: session.currency })}.`),
      h("div", { class: "dialog-actions" }, cancel, accept));
    dialog.showModal();
    // A key pressed by mistake must not spend money: if there is a cost, Enter cancels.
    (free(offer.cost) && !offer.cost.unpriced ? accept : cancel).focus();
  }

  /** Return the row of a clip; `all`: with the price of all its takes, not only of the one that another clip needs. */
  function row(id, all, card = store.card(id)) {
    const title = name(id);
    const poster = card && card.shown ? media(card.shown.poster) : null;
    const image = poster && h("img", { src: poster, alt: "" });
    if (image) image.addEventListener("error", () => image.remove());
    const differences = h("span", { class: "confirm-changes", dir: "auto" });
    if (card) describe(card, differences);
    else source.detail(id).then((detail) => node.replaceWith(row(id, all, detail.card)), () => {});
    const node = h("li", {}, h("span", { class: "thumb" }, image), h("span", { class: "confirm-name" }, h("bdi", {}, title.main), title.variant && h("span", { class: "variant", dir: "auto" }, title.variant),
      card && foreign("span", { class: "quiet" }, [card.action === "noop" ? "" : card.sentence, others(card)].filter(Boolean).join("; ")),
      card && card.due && card.takes > 1 && h("span", { class: "quiet" }, all ? Gallery.card.takes(card) : `take ${card.pick} of ${card.takes}`), differences), h("span", { class: "cost" }, card && card.due ? (all ? Gallery.card.price(card) : money(card.estimate)) : ""));
    return node;
  }

  /** Write what changes, field by field; of a new clip, what is generated. */
  async function describe(card, node) {
    if (card.action === "create") return void fill(node, h("span", {}, [card.model, card.duration && `${card.duration} s`, card.ratio, card.resolution].filter(Boolean).join(" · ")), h("span", {}, card.prompt));
    const detail = card.action === "replace" && await source.detail(card.id).catch(() => null);
    if (detail) fill(node, detail.changes.map(Gallery.versions.change));
  }

  async function send(dialog, offer, revision) {
    const { amount, currency } = offer.cost;
    dialog.close();
    await messages.act("apply", { clips: offer.clips, revision, cost: { amount, currency } });
  }

  function help() {
    if (isOpen()) return;
    const dialog = find("help");
    const groups = new Map();
    for (const key of Gallery.keys.table) {
      if (!key.label || (key.live && !source.acts())) continue;
      groups.set(key.group, [...(groups.get(key.group) || []), key]);
    }
    fill(dialog, h("h2", { id: "help-title", tabindex: "-1", autofocus: true }, "Keyboard"),
      h("div", { class: "help-groups" }, [...groups].map(([title, keys]) => h("section", {}, h("h3", {}, title),
        h("dl", {}, keys.map((key) => h("div", {}, h("dt", {}, key.caps.map((text) => h("kbd", {}, text))), h("dd", {}, key.label))))))),
      h("label", { class: "help-choice" }, h("input", { type: "checkbox", checked: Gallery.keys.usesCharacters(), on: { change: (event) => Gallery.keys.useCharacters(event.target.checked) } }), "Letters, digits and signs act without a modifier"),
      h("div", { class: "dialog-actions" }, button("Close", { class: "button", on: { click: () => dialog.close() } })));
    dialog.showModal();
  }

  return { apply, help, isOpen };
})();
