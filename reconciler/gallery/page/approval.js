"use strict";
// The approval of takes: who approved what, and the buttons. What is approved is the key on the page, after the video on
// the page: if either is another meanwhile, the server refuses.

Gallery.approval = (() => {
  const { h, foreign, button } = Gallery.dom;
  const { age, day } = Gallery.format;
  const { store, source, messages } = Gallery;
  const TITLES = { take: "First take", "vendor draft": "Vendor's draft" };

  /** Return what a video that is looked at is called. */
  const title = ({ of }) => TITLES[of] || "Draft";

  /** Return the section with the approval of each take that needs one; null where none does. */
  function section({ card, takes }) {
    const waiting = takes.filter((take) => take.approval);
    if (!waiting.length) return null;
    return h("section", { class: "part" }, h("h2", {}, "Approval"), h("ul", { class: "approvals" }, waiting.map((take) => row(card, take, takes.length > 1))));
  }

  function row(card, take, several) {
    const { by, at, note, seen } = take.approval;
    const which = several ? `Take ${take.take}: ` : "";
    const text = by ? ["Approved by ", foreign("strong", {}, by), `, ${age(at, store.now())}`, note && foreign("span", { class: "quiet" }, ` · ${note}`)] : [seen ? "Nobody has approved it yet." : `There is no ${take.approval.of} to look at yet.`];
    const acts = source.acts();
    const approve = acts && !by && seen && button("Approve", { class: "button primary", "data-key": `approve-${take.take}`, title: `Approve what this take would buy, after its ${take.approval.of}`, on: { click: () => messages.act("approve", { clip: card.id, take: take.take, key: take.key, seen: seen.sha256 }) } });
    const back = acts && by && button("Take back", { class: "button small", "data-key": `disapprove-${take.take}`, title: "Remove the approvals of this clip", on: { click: () => messages.act("disapprove", { clip: card.id }) } });
    return h("li", { class: by ? "approval is-approved" : "approval" }, h("span", { title: by ? day(at) : null }, which, text), approve, back);
  }

  return { title, section };
})();
