"use strict";
// The storyboard: a film with its pieces as chapters, or the clips in file order as one. A missing clip is a card with
// its name for its duration. Two players alternate, so the next clip is loaded before it starts.

Gallery.film = (() => {
  const { h, fill, find, foreign, sentences, media, button, icon } = Gallery.dom;
  const { clock, exact, name, count } = Gallery.format;
  const { store, pager, combinations, pieces } = Gallery;
  const DEFAULT_SECONDS = 4; // for a clip without a stated duration
  const ALL = "\n"; // the clips in file order: no film has this name
  let film = null; // what is played; null: the first film, if there is one
  let choice = ""; // of the combinations of a matrix
  let silent = null; // chosen by the user; null: a film has sound, clips in file order have none
  let shots = [];
  let total = 0;
  let at = 0; // index of the current shot
  let time = 0; // seconds from the start of the film
  let playing = false;
  let last = 0; // time of the last frame
  let frame = 0;
  let parts = null;
  let due = false; // a rebuild

  function start() {
    for (const topic of ["list", "card"]) store.on(topic, rebuildOnce);
    store.on("select", (id) => store.state.route.view === "film" && jumpTo(id));
  }

  /** Rebuild the film once after an event, which may change many clips. */
  function rebuildOnce() {
    if (due) return;
    due = true;
    queueMicrotask(() => {
      due = false;
      if (store.state.route.view === "film" && store.isWhole()) rebuild();
    });
  }

  /** Return what is to be played, and write the choices. */
  function chosen() {
    const cards = store.state.visible.map(store.card).filter(Boolean);
    const films = cards.filter((card) => card.pieces.length);
    const played = film === ALL ? null : films.find((card) => card.id === film) || films[0];
    parts.films.hidden = !films.length;
    fill(parts.films, [...films.map((card) => [card.id, card.id]), [ALL, "All clips"]].map(([value, text]) => h("option", { value, selected: value === (played ? played.id : ALL) }, text)));
    const clips = cards.filter((card) => card.state !== "undeclared" && !card.pieces.length);
    const choices = played ? [] : combinations.choices(clips);
    if (!choices.some(([value]) => value === choice)) choice = "";
    parts.choice.hidden = !choices.length;
    fill(parts.choice, choices.map(([value, text]) => h("option", { value, selected: value === choice }, text)));
    return { played, clips };
  }

  /** Return clips as shots, one after the other. */
  function clipShots(cards) {
    let start = 0;
    return cards.map((card) => {
      const seconds = (card.shown && card.shown.seconds) || card.duration || DEFAULT_SECONDS;
      const shot = { id: card.id, start, seconds, offset: 0, media: card.shown && media(card.shown.video), poster: card.shown && media(card.shown.poster) };
      start += seconds;
      return shot;
    });
  }

  /** Rebuild the film from the visible clips, at the same second of the same clip. */
  function rebuild() {
    const current = shots[at];
    const inside = current ? time - current.start : 0;
    const { played, clips } = chosen();
    shots = played ? pieces.shots(played) : clipShots(combinations.played(clips, choice));
    total = shots.length ? shots[shots.length - 1].start + shots[shots.length - 1].seconds : 0;
    const same = current && shots[at] && shots[at].id === current.id ? at : shots.findIndex((shot) => shot.id === (current ? current.id : store.state.selected));
    const index = Math.max(0, same);
    parts.range.max = String(total || 1);
    const missing = shots.filter((shot) => (played ? shot.missing : !shot.media)).length;
    const drawn = shots.filter((shot) => shot.draft).length;
    const others = played ? 0 : clips.length - shots.length;
    const apart = played && shots.length > 0 && !shots[0].whole ? "; the film is not up to date, so its pieces are played one by one" : "";
    fill(find("film-sum"), `${count(shots.length, played ? "piece" : "clip")}, ${clock(total)}${missing ? `, ${missing} not generated yet` : ""}${drawn ? `, ${drawn} played as ${drawn === 1 ? "a draft" : "drafts"}` : ""}${others ? `; ${count(others, "other combination")} not played` : ""}${apart}`);
    parts.chapters.hidden = !played;
    pieces.chapters(parts.chapters, played ? shots : []);
    if (silent === null) mute(!played);
    Gallery.timeline.show(shots, total);
    show(index, current && shots[index] && shots[index].id === current.id ? inside : 0);
  }

  function build() {
    const players = [0, 1].map(() => {
      const video = h("video", { class: "film-video", playsinline: true, preload: "auto", tabindex: "-1", "aria-hidden": "true" });
      video.muted = true;
      return video;
    });
    const title = foreign("p", { class: "slate-title" }, "");
    const text = foreign("p", { class: "slate-text" }, "");
    const state = h("p", { class: "state" });
    const toggleButton = button("", { class: "icon-button round", "aria-label": "Play the film", "aria-keyshortcuts": "Space", on: { click: toggle } }, icon("play"));
    const sound = button("", { class: "icon-button", "aria-label": "Sound on", on: { click: () => mute(silent = !players[0].muted) } }, icon("muted"));
    const range = h("input", { type: "range", class: "scrub", min: "0", max: "1", step: "0.01", value: "0", "aria-label": "Time in the film", on: { input: () => seek(Number(range.value)) } });
    const films = h("select", { class: "film-choice", "aria-label": "What is played", hidden: true, on: { change: (event) => {
      film = event.target.value;
      pause();
      shots = [];
      rebuild();
    } } });
    const choose = h("select", { class: "film-choice", "aria-label": "Combinations to play", hidden: true, on: { change: (event) => {
      choice = event.target.value;
      rebuild();
    } } });
    const now = h("output", { class: "time" });
    const current = h("a", { class: "film-name" });
    const chapters = h("ol", { class: "chapters", "aria-label": "Chapters", hidden: true });
    parts = { players, active: 0, films, chapters, title, text, state, toggleButton, sound, range, now, current, choice: choose,
      slate: h("div", { class: "film-slate", hidden: true }, state, title, text) };
    fill(find("view-film"),
      h("div", { class: "film-stage", tabindex: "-1" }, ...players, parts.slate),
      h("div", { class: "film-controls" }, toggleButton, now, current, range, films, choose, sound),
      Gallery.timeline.build((seconds) => seek(seconds)),
      h("p", { class: "film-sum", id: "film-sum" }), chapters);
  }

  /** Go to a shot, `inside` seconds after its start. */
  function show(index, inside) {
    at = Math.min(Math.max(0, index), Math.max(0, shots.length - 1));
    const shot = shots[at];
    parts.slate.hidden = Boolean(shot && shot.media);
    if (!shot) {
      time = 0;
      slate({ id: "No clips", state: "", prompt: "No clip matches the filter, or none is declared yet." });
      parts.players.forEach((video) => video.classList.remove("on"));
      return update();
    }
    time = shot.start + Math.min(inside, shot.seconds);
    if (shot.media) load(shot, inside);
    else showMissing(shot);
    if (store.state.selected !== shot.id) store.select(shot.id);
    fill(parts.current, pieces.title(shot), shot.label ? null : h("span", { class: "variant" }, name(shot.id).variant));
    parts.current.setAttribute("href", Gallery.card.address(shot.id));
    return update();
  }

  function slate(card, picture = null) {
    parts.slate.hidden = false;
    parts.slate.style.setProperty("background-image", picture ? `url("${picture}")` : "");
    parts.slate.classList.toggle("still", Boolean(picture));
    fill(parts.title, card.id);
    sentences(parts.text, card.prompt);
    fill(parts.state, card.state);
    parts.state.className = card.state ? `state is-${card.state}` : "state";
  }

  function showMissing(shot) {
    parts.players.forEach((video) => {
      video.classList.remove("on");
      video.pause();
    });
    const words = shot.label && { id: shot.poster ? "" : shot.label, state: "", prompt: "" };
    slate(words || store.card(shot.id) || { id: shot.id, state: "", prompt: "" }, words && shot.poster);
    preload();
  }

  function load(shot, inside) {
    const other = 1 - parts.active;
    if (parts.players[parts.active].getAttribute("src") !== shot.media && parts.players[other].getAttribute("src") === shot.media) parts.active = other;
    const video = parts.players[parts.active];
    video.onloadeddata = () => video.removeAttribute("poster"); // the frame itself is sharper
    const next = parts.players[1 - parts.active];
    if (video.getAttribute("src") !== shot.media) {
      video.poster = shot.poster || "";
      video.src = shot.media;
    }
    video.onerror = () => {
      if (shots[at] !== shot) return;
      shot.media = null; // cannot be played: show its card instead
      showMissing(shot);
    };
    if (Math.abs(video.currentTime - shot.offset - inside) > 0.05) video.currentTime = shot.offset + inside;
    video.classList.add("on");
    next.classList.remove("on");
    next.pause();
    if (playing) video.play().catch(() => {});
    preload();
  }

  /** Load the next clip that has a video, in the hidden player. */
  function preload() {
    const next = shots.slice(at + 1, at + 3).find((shot) => shot.media);
    const idle = parts.players[1 - parts.active];
    if (!next || idle.getAttribute("src") === next.media || parts.players[parts.active].getAttribute("src") === next.media) return;
    idle.poster = next.poster || "";
    idle.src = next.media;
  }

  function tick(now) {
    if (!playing) return;
    frame = requestAnimationFrame(tick);
    const shot = shots[at];
    const video = parts.players[parts.active];
    if (!shot) return void pause();
    if (shot.media) {
      if (video.readyState >= 1) time = shot.start + Math.min(Math.max(0, video.currentTime - shot.offset), shot.seconds);
      if (video.ended || time >= shot.start + shot.seconds - 0.005) return void next();
      if (video.paused) video.play().catch(() => {});
    } else {
      time += Math.min(0.25, (now - last) / 1000); // after a pause of the page, do not skip ahead
      if (time >= shot.start + shot.seconds) {
        last = now;
        return void next();
      }
    }
    last = now;
    update();
  }

  function next() {
    if (at + 1 < shots.length) return show(at + 1, 0);
    pause();
    time = total;
    return update();
  }

  function play() {
    if (!shots.length) return;
    if (time >= total - 0.01) show(0, 0);
    playing = true;
    last = performance.now();
    if (shots[at].media) parts.players[parts.active].play().catch(() => {});
    frame = requestAnimationFrame(tick);
    update();
  }

  function pause() {
    playing = false;
    cancelAnimationFrame(frame);
    if (parts) parts.players.forEach((video) => video.pause());
    if (parts) update();
  }

  const toggle = () => (playing ? pause() : play());

  function seek(seconds) {
    const inside = Math.min(Math.max(0, seconds), Math.max(0, total - 0.001));
    let index = shots.findIndex((shot) => inside < shot.start + shot.seconds);
    if (index < 0) index = shots.length - 1;
    if (shots[index]) show(index, inside - shots[index].start);
  }

  const nudge = (seconds) => seek(time + seconds);

  function jumpTo(id) {
    if (shots[at] && shots[at].id === id) return; // a film may show a clip more than once
    const index = shots.findIndex((shot) => shot.id === id);
    if (index >= 0) show(index, 0);
  }

  const step = (by) => show(at + by, 0);

  function mute(muted) {
    parts.players.forEach((video) => { video.muted = muted; });
    fill(parts.sound, icon(muted ? "muted" : "sound"));
    parts.sound.setAttribute("aria-label", muted ? "Sound on" : "Sound off");
  }

  function update() {
    const shot = shots[at];
    parts.range.value = String(time);
    parts.range.setAttribute("aria-valuetext", shot ? `${pieces.title(shot)}, ${clock(time)} of ${clock(total)}` : "empty");
    fill(parts.now, `${exact(time)} / ${clock(total)}`);
    if (parts.toggleButton.dataset.playing !== String(playing)) {
      parts.toggleButton.dataset.playing = String(playing);
      parts.toggleButton.setAttribute("aria-label", playing ? "Pause the film" : "Play the film");
      fill(parts.toggleButton, icon(playing ? "pause" : "play"));
    }
    Gallery.timeline.moveTo(time, at, playing);
    pieces.mark(parts.chapters, at);
  }

  function enter() {
    if (!parts) build();
    shots = [];
    pager.needAll(rebuild);
    parts.slate.parentElement.focus({ preventScroll: true }); // no button: Enter opens the clip, Space plays
  }

  function exit() {
    pause();
    parts.players.forEach((video) => {
      video.onerror = null;
      video.removeAttribute("src");
      video.load();
    });
  }

  return { start, enter, exit, toggle, nudge, step, seek };
})();
