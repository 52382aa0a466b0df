"use strict";
// The storyboard: the clips in file order as one film. A missing clip is a card with its name for its duration. Two
// players alternate, so the next clip is loaded before it starts.

Gallery.film = (() => {
  const { h, fill, find, foreign, sentences, media, button, icon } = Gallery.dom;
  const { clock, exact, name, count } = Gallery.format;
  const { store, combinations } = Gallery;
  const DEFAULT_SECONDS = 4; // for a clip without a stated duration
  let choice = ""; // of the combinations of a matrix
  let shots = [];
  let total = 0;
  let at = 0; // index of the current shot
  let time = 0; // seconds from the start of the film
  let playing = false;
  let last = 0; // time of the last frame
  let frame = 0;
  let parts = null;

  function start() {
    for (const topic of ["list", "card"]) store.on(topic, () => store.state.route.view === "film" && rebuild());
    store.on("select", (id) => store.state.route.view === "film" && jumpTo(id));
  }

  /** Rebuild the film from the visible clips, at the same second of the same clip. */
  function rebuild() {
    const current = shots[at];
    const inside = current ? time - current.start : 0;
    shots = [];
    total = 0;
    const cards = store.state.visible.map(store.card).filter((card) => card.state !== "undeclared");
    const choices = combinations.choices(cards);
    if (!choices.some(([value]) => value === choice)) choice = "";
    for (const card of combinations.played(cards, choice)) {
      const seconds = (card.shown && card.shown.seconds) || card.duration || DEFAULT_SECONDS;
      shots.push({ id: card.id, start: total, seconds, media: card.shown && media(card.shown.video), poster: card.shown && media(card.shown.poster) });
      total += seconds;
    }
    const index = Math.max(0, current ? shots.findIndex((shot) => shot.id === current.id) : shots.findIndex((shot) => shot.id === store.state.selected));
    parts.range.max = String(total || 1);
    const missing = shots.filter((shot) => !shot.media).length;
    parts.choice.hidden = !choices.length;
    fill(parts.choice, choices.map(([value, text]) => h("option", { value, selected: value === choice }, text)));
    const others = cards.length - shots.length;
    fill(find("film-sum"), `${count(shots.length, "clip")}, ${clock(total)}${missing ? `, ${missing} not generated yet` : ""}${others ? `; ${count(others, "other combination")} not played` : ""}`);
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
    const sound = button("", { class: "icon-button", "aria-label": "Sound on", on: { click: () => mute(!players[0].muted) } }, icon("muted"));
    const range = h("input", { type: "range", class: "scrub", min: "0", max: "1", step: "0.01", value: "0", "aria-label": "Time in the film", on: { input: () => seek(Number(range.value)) } });
    const choose = h("select", { class: "film-choice", "aria-label": "Combinations to play", hidden: true, on: { change: (event) => {
      choice = event.target.value;
      rebuild();
    } } });
    const now = h("output", { class: "time" });
    const current = h("a", { class: "film-name" });
    parts = { players, active: 0, title, text, state, toggleButton, sound, range, now, current, choice: choose,
      slate: h("div", { class: "film-slate", hidden: true }, state, title, text) };
    fill(find("view-film"),
      h("div", { class: "film-stage", tabindex: "-1" }, ...players, parts.slate),
      h("div", { class: "film-controls" }, toggleButton, now, current, range, choose, sound),
      Gallery.timeline.build((seconds) => seek(seconds)),
      h("p", { class: "film-sum", id: "film-sum" }));
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
    const card = store.card(shot.id);
    if (shot.media) load(shot, inside);
    else showMissing(card);
    if (store.state.selected !== shot.id) store.select(shot.id);
    fill(parts.current, name(shot.id).main, h("span", { class: "variant" }, name(shot.id).variant));
    parts.current.setAttribute("href", Gallery.card.address(shot.id));
    return update();
  }

  function slate(card) {
    parts.slate.hidden = false;
    fill(parts.title, card.id);
    sentences(parts.text, card.prompt);
    fill(parts.state, card.state);
    parts.state.className = card.state ? `state is-${card.state}` : "state";
  }

  function showMissing(card) {
    parts.players.forEach((video) => {
      video.classList.remove("on");
      video.pause();
    });
    slate(card);
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
      showMissing(store.card(shot.id));
    };
    if (Math.abs(video.currentTime - inside) > 0.05) video.currentTime = inside;
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
      if (video.readyState >= 1) time = shot.start + Math.min(video.currentTime, shot.seconds);
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
    const index = shots.findIndex((shot) => shot.id === id);
    if (index >= 0 && index !== at) show(index, 0);
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
    parts.range.setAttribute("aria-valuetext", shot ? `${shot.id}, ${clock(time)} of ${clock(total)}` : "empty");
    fill(parts.now, `${exact(time)} / ${clock(total)}`);
    if (parts.toggleButton.dataset.playing !== String(playing)) {
      parts.toggleButton.dataset.playing = String(playing);
      parts.toggleButton.setAttribute("aria-label", playing ? "Pause the film" : "Play the film");
      fill(parts.toggleButton, icon(playing ? "pause" : "play"));
    }
    Gallery.timeline.moveTo(time, at, playing);
  }

  function enter() {
    if (!parts) build();
    shots = [];
    rebuild();
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
