"use strict";
// Several videos that play as one: takes beside each other, the version before beside the new one. The longest leads;
// the others are kept within a few hundredths of a second of it, first by a change of pace that nobody sees, else by a jump.

Gallery.InStep = class {
  static #NEAR = 0.03;
  static #FAR = 0.2;
  #videos;
  #onTime;
  #playing = false;
  #frame = 0;
  #seeking = 0;
  #wanted = 0; // where everybody was sent last

  constructor(videos, onTime) {
    this.#videos = videos;
    this.#onTime = onTime;
    for (const video of videos) {
      video.addEventListener("loadedmetadata", () => {
        if (!this.#playing && this.#wanted > 0) this.seek(this.#wanted); // sought before it could be
        else this.#tell();
      });
      video.addEventListener("ended", () => this.#ended(video));
      video.addEventListener("error", () => this.#drop(video));
    }
  }

  get playing() { return this.#playing; }
  get leader() { return this.#videos.reduce((best, video) => (length(video) > length(best) ? video : best), this.#videos[0]); }
  get seconds() { return this.#videos.length ? length(this.leader) : 0; }
  get time() { return this.#videos.length ? this.leader.currentTime : 0; }

  play() {
    if (this.#playing || !this.#videos.length) return;
    this.#playing = true;
    this.#wanted = 0;
    if (this.time >= this.seconds - 0.01) this.#each((video) => { video.currentTime = 0; });
    this.#start();
    const tick = () => {
      this.#keep();
      this.#tell();
      if (this.#playing) this.#frame = requestAnimationFrame(tick);
    };
    this.#frame = requestAnimationFrame(tick);
    this.#tell();
  }

  pause() {
    this.#playing = false;
    cancelAnimationFrame(this.#frame);
    this.#each((video) => {
      video.pause();
      video.playbackRate = 1;
    });
    this.#tell();
  }

  toggle() {
    if (this.#playing) this.pause();
    else this.play();
  }

  seek(seconds) {
    this.#wanted = Math.max(0, seconds);
    const at = Math.min(this.#wanted, Math.max(0, this.seconds - 0.001));
    this.#each((video) => { video.currentTime = Math.min(at, Math.max(0, length(video) - 0.001)); });
    if (this.#playing) this.#start();
    this.#tell(at);
  }

  /** One picture on or back, as an editor looks at a cut; 24 a second is what most clips have. */
  nudge(frames) {
    this.pause();
    this.seek(this.time + frames / 24);
  }

  mute(muted) { this.#each((video, at) => { video.muted = muted || at > 0; }); }

  /** Let go of everything: a video that is out of the page goes on loading otherwise. */
  close() {
    this.pause();
    this.#each((video) => {
      video.removeAttribute("src");
      video.load();
    });
    this.#videos = [];
  }

  /** All start together, once each of them can. */
  #start() {
    const mine = ++this.#seeking;
    const ready = this.#videos.map((video) => new Promise((resolve) => {
      if (video.readyState >= 3 && !video.seeking) return resolve();
      for (const event of ["canplay", "seeked", "error"]) video.addEventListener(event, resolve, { once: true });
      video.preload = "auto";
      if (video.networkState === HTMLMediaElement.NETWORK_IDLE && video.readyState < 1) video.load();
      return undefined;
    }));
    Promise.all(ready).then(() => {
      if (!this.#playing || mine !== this.#seeking) return;
      this.#each((video) => { if (!done(video)) video.play().catch(() => {}); });
    });
  }

  #keep() {
    const leader = this.leader;
    if (!leader || leader.paused || leader.seeking) return;
    for (const video of this.#videos) {
      if (video === leader || video.seeking || leader.currentTime >= length(video)) continue;
      const late = leader.currentTime - video.currentTime;
      if (Math.abs(late) > Gallery.InStep.#FAR) video.currentTime = leader.currentTime;
      video.playbackRate = Math.abs(late) > Gallery.InStep.#NEAR ? 1 + Math.sign(late) * 0.08 : 1;
      if (video.paused) video.play().catch(() => {});
    }
  }

  #ended(video) {
    if (!this.#playing || video !== this.leader) return;
    this.#each((each) => { each.currentTime = 0; });
    this.#start();
  }

  #drop(video) {
    this.#videos = this.#videos.filter((each) => each !== video);
    if (!this.#videos.length) this.pause();
    this.#tell();
  }

  #each(action) { this.#videos.forEach(action); }
  #tell(at = this.time) { this.#onTime(at, this.seconds, this.#playing); }
};

const length = (video) => (Number.isFinite(video.duration) ? video.duration : 0);
const done = (video) => length(video) > 0 && video.currentTime >= length(video) - 0.01;
