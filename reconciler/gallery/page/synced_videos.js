"use strict";
// Plays several videos in sync: takes, or the previous and the new version. The longest one leads. The others are kept
// within a few hundredths of a second of it, by a small change of playback rate or, if they are far off, by a seek.

Gallery.SyncedVideos = class {
  static #TOLERANCE = 0.03;
  static #MAX_DRIFT = 0.2;
  #videos;
  #onTime;
  #playing = false;
  #frame = 0;
  #attempts = 0;
  #target = 0; // the last seek position

  constructor(videos, onTime) {
    this.#videos = videos;
    this.#onTime = onTime;
    for (const video of videos) {
      video.addEventListener("loadedmetadata", () => {
        if (!this.#playing && this.#target > 0) this.seek(this.#target); // the seek came before the metadata
        else this.#report();
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
    this.#target = 0;
    if (this.time >= this.seconds - 0.01) this.#each((video) => { video.currentTime = 0; });
    this.#start();
    const tick = () => {
      this.#synchronise();
      this.#report();
      if (this.#playing) this.#frame = requestAnimationFrame(tick);
    };
    this.#frame = requestAnimationFrame(tick);
    this.#report();
  }

  pause() {
    this.#playing = false;
    cancelAnimationFrame(this.#frame);
    this.#each((video) => {
      video.pause();
      video.playbackRate = 1;
    });
    this.#report();
  }

  toggle() {
    if (this.#playing) this.pause();
    else this.play();
  }

  seek(seconds) {
    this.#target = Math.max(0, seconds);
    const at = Math.min(this.#target, Math.max(0, this.seconds - 0.001));
    this.#each((video) => { video.currentTime = Math.min(at, Math.max(0, length(video) - 0.001)); });
    if (this.#playing) this.#start();
    this.#report(at);
  }

  /** Move by frames, assuming 24 per second as in most clips. */
  nudge(frames) {
    this.pause();
    this.seek(this.time + frames / 24);
  }

  mute(muted) { this.#each((video, at) => { video.muted = muted || at > 0; }); }

  /** Unload the videos: otherwise a video outside the page continues to load. */
  close() {
    this.pause();
    this.#each((video) => {
      video.removeAttribute("src");
      video.load();
    });
    this.#videos = [];
  }

  /** Start all videos together, once each of them is ready. */
  #start() {
    const attempt = ++this.#attempts;
    const ready = this.#videos.map((video) => new Promise((resolve) => {
      if (video.readyState >= 3 && !video.seeking) return resolve();
      for (const event of ["canplay", "seeked", "error"]) video.addEventListener(event, resolve, { once: true });
      video.preload = "auto";
      if (video.networkState === HTMLMediaElement.NETWORK_IDLE && video.readyState < 1) video.load();
      return undefined;
    }));
    Promise.all(ready).then(() => {
      if (!this.#playing || attempt !== this.#attempts) return;
      this.#each((video) => { if (!done(video)) video.play().catch(() => {}); });
    });
  }

  #synchronise() {
    const leader = this.leader;
    if (!leader || leader.paused || leader.seeking) return;
    for (const video of this.#videos) {
      if (video === leader || video.seeking || leader.currentTime >= length(video)) continue;
      const lag = leader.currentTime - video.currentTime;
      if (Math.abs(lag) > Gallery.SyncedVideos.#MAX_DRIFT) video.currentTime = leader.currentTime;
      video.playbackRate = Math.abs(lag) > Gallery.SyncedVideos.#TOLERANCE ? 1 + Math.sign(lag) * 0.08 : 1;
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
    this.#report();
  }

  #each(action) { this.#videos.forEach(action); }
  #report(at = this.time) { this.#onTime(at, this.seconds, this.#playing); }
};

const length = (video) => (Number.isFinite(video.duration) ? video.duration : 0);
const done = (video) => length(video) > 0 && video.currentTime >= length(video) - 0.01;
