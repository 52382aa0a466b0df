"use strict";
// The pieces of a film: as shots of the storyboard, as chapters that lead to their clips, as a contact sheet.

Gallery.pieces = (() => {
  const { h, fill, foreign, media } = Gallery.dom;
  const { name, exact } = Gallery.format;
  const { store } = Gallery;
  const UP_TO_DATE = new Set(["noop", "restore", "move"]);
  const DEFAULT_SECONDS = 4; // of a clip whose length nothing says

  /** Return the shots of a film. It plays as one video if that is up to date, else each piece plays its clip. */
  function shots(film) {
    const whole = film.shown && UP_TO_DATE.has(film.action) ? film.shown : null;
    let start = 0;
    return film.pieces.map((piece, index) => {
      const next = film.pieces[index + 1];
      const seconds = Math.max(0.04, length(piece) - (next ? next.dissolve : 0));
      const video = whole || piece.shown || piece.draft;
      const still = piece.shown || piece.draft;
      const shot = { id: piece.clip || film.id, label: piece.clip ? null : piece.text, text: piece.text, start, seconds, offset: whole ? start : piece.first,
        media: video && media(video.video), poster: still ? media(still.poster) : media(piece.still), whole: Boolean(whole), missing: Boolean(piece.clip) && !piece.shown, draft: !whole && !piece.shown && Boolean(piece.draft) };
      start += seconds;
      return shot;
    });
  }

  function length({ clip, first, last }) {
    if (last !== null) return last - first;
    const card = store.card(clip);
    return Math.max(0.04, ((card && card.duration) || DEFAULT_SECONDS) - first);
  }

  /** Return the name of a shot: its clip, or its words. */
  const title = (shot) => (shot.label === null || shot.label === undefined ? name(shot.id).main : shot.label);

  /** Write the chapters of a film into a list: each with its time, and a link to its clip. */
  function chapters(node, list) {
    fill(node, list.map((shot) => {
      const text = [h("span", { class: "time" }, exact(shot.start)), foreign("span", { class: "chapter-name" }, title(shot)),
        shot.label === null && name(shot.id).variant && foreign("span", { class: "variant" }, name(shot.id).variant), shot.draft && h("span", { class: "variant" }, "draft")];
      return h("li", { class: "chapter" }, shot.label === null ? h("a", { href: Gallery.card.address(shot.id) }, ...text) : h("span", { class: "words" }, ...text));
    }));
  }

  /** Mark the chapter that plays. It is called for each frame, and a film may have a thousand chapters. */
  function mark(node, at) {
    const former = node.querySelector(".chapter.on");
    const now = node.children[at] || null;
    if (former === now) return;
    for (const [item, on] of [[former, false], [now, true]]) {
      if (!item) continue;
      item.classList.toggle("on", on);
      if (on) item.firstChild.setAttribute("aria-current", "true");
      else item.firstChild.removeAttribute("aria-current");
    }
  }

  /** Return a picture of each piece, in order. */
  function sheet(pieces) {
    return h("ol", { class: "sheet" }, pieces.map((piece) => {
      const video = piece.shown || piece.draft;
      const poster = video ? media(video.poster) : media(piece.still);
      const image = poster && h("img", { src: poster, alt: "", loading: "lazy", decoding: "async" });
      if (image) image.addEventListener("error", () => image.remove());
      return h("li", { class: "sheet-cell" }, h("span", { class: "sheet-frame" }, image || foreign("span", { class: "slate-text" }, piece.clip ? "not made yet" : piece.text)),
        piece.clip && store.row(piece.clip) ? h("a", { class: "clip-link", dir: "auto", href: Gallery.card.address(piece.clip) }, name(piece.clip).main, name(piece.clip).variant && h("span", { class: "variant" }, ` ${name(piece.clip).variant}`)) : foreign("span", {}, piece.clip || (piece.still ? piece.text : "title")),
        h("span", { class: "quiet" }, [piece.last === null ? "" : `${piece.first}–${piece.last} s`, piece.draft ? "draft" : ""].filter(Boolean).join(" · ")));
    }));
  }

  /** Return the section of a film's page that lists its pieces. */
  function section({ card, before }) {
    const row = (label, pieces) => [label && h("h3", {}, label), sheet(pieces)];
    const former = before && before.pieces.length > 0 && JSON.stringify(before.pieces) !== JSON.stringify(card.pieces);
    return h("section", { class: "part" }, h("h2", {}, "Pieces"), former && row("Before", before.pieces), row(former ? "Now" : "", card.pieces));
  }

  return { shots, title, chapters, mark, sheet, section };
})();
