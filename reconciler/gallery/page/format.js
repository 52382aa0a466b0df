"use strict";
// Formats values for people: money, time, names, states.

Gallery.format = (() => {
  /** The states of `clipform status`, the most urgent first. */
  const STATES = ["failed", "blocked", "running", "queued", "interrupted", "changed", "new", "to assemble", "restorable", "moved", "undeclared", "ready"];
  const GENERATES = new Set(["create", "replace"]);

  /** Return the sum of decimal texts, computed with integers: a price is never a float. */
  function sum(amounts) {
    const places = Math.max(2, ...amounts.map((amount) => (amount.split(".")[1] || "").length));
    const total = amounts.reduce((all, amount) => {
      const [whole, part = ""] = amount.split(".");
      return all + BigInt(whole + part.padEnd(places, "0"));
    }, 0n);
    const digits = total.toString().padStart(places + 1, "0");
    return trim(`${digits.slice(0, -places)}.${digits.slice(-places)}`);
  }

  /** Return an amount with at least two decimals and no further trailing zeros; zero is "0". */
  function trim(amount) {
    const [whole, part = ""] = amount.split(".");
    const decimals = part.replace(/0+$/, "");
    if (/^0*$/.test(whole) && decimals === "") return "0";
    return `${whole.replace(/^0+(?=\d)/, "")}.${decimals.padEnd(2, "0")}`;
  }

  /** Return an amount to four digits, of `like` if given, and at least two decimals; never rounded down. */
  function rounded(amount, like = amount) {
    const [ones, part] = trim(like).split(".");
    const places = Math.max(2, ones === "0" ? 4 + (part || "").search(/[1-9]/) : 4 - ones.length);
    const [whole, decimals = ""] = amount.split(".");
    const up = /[1-9]/.test(decimals.slice(places)) ? 1n : 0n;
    const digits = (BigInt(whole + decimals.slice(0, places).padEnd(places, "0")) + up).toString().padStart(places + 1, "0");
    return trim(`${digits.slice(0, -places)}.${digits.slice(-places)}`);
  }

  /** Return an amount, or both ends of a range that do not read alike. */
  function money(cost) {
    if (!cost) return "unpriced";
    const [amount, least] = [rounded(cost.amount), rounded(cost.least || cost.amount, cost.amount)];
    return amount === "0" ? "free" : `${least === amount ? "" : `${least}–`}${amount} ${cost.currency || ""}`.trim();
  }

  const free = (cost) => Boolean(cost) && trim(cost.amount) === "0";

  /** Return a plan's cost: the priced sum, and the number of unpriced generations. */
  function total(cost) {
    const unpriced = cost.unpriced ? `${cost.unpriced} unpriced` : "";
    if (unpriced && free(cost)) return unpriced;
    return [cost.least ? `up to ${rounded(cost.amount)} ${cost.currency || ""}`.trim() : money(cost), unpriced].filter(Boolean).join(" + ");
  }

  /** Split a name into the declared name and its matrix values. */
  function name(id) {
    const at = id.indexOf("[");
    if (at < 0 || !id.endsWith("]")) return { main: id, variant: "" };
    const pairs = id.slice(at + 1, -1).split(",");
    return { main: id.slice(0, at), variant: pairs.map((pair) => pair.slice(pair.indexOf("=") + 1)).join(" · ") };
  }

  function clock(seconds) {
    const whole = Math.max(0, Math.floor(seconds + 1e-6));
    const remainder = String(whole % 60).padStart(2, "0");
    const minutes = Math.floor(whole / 60);
    if (minutes < 60) return `${minutes}:${remainder}`;
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${remainder}`;
  }

  /** Return a time with tenths of a second, for a player. */
  const exact = (seconds) => `${clock(seconds)}.${Math.floor((Math.max(0, seconds) * 10 + 1e-6) % 10)}`;

  function span(seconds) {
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    if (seconds < 100) return `${Math.round(seconds)} s`;
    const minutes = seconds / 60;
    return minutes < 60 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
  }

  const UNITS = [[31536000, "year"], [2592000, "month"], [86400, "day"], [3600, "hour"], [60, "min"]];

  function age(time, now) {
    const seconds = (now - Date.parse(time)) / 1000;
    if (!Number.isFinite(seconds)) return "";
    for (const [size, unit] of UNITS) {
      if (seconds < size) continue;
      const count = Math.floor(seconds / size);
      return `${count} ${unit}${count > 1 && unit !== "min" ? "s" : ""} ago`;
    }
    return "just now";
  }

  const day = (time) => new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

  const exactly = (time) => new Date(time).toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });

  function bytes(count) {
    if (count < 1e6) return `${Math.max(1, Math.round(count / 1e3))} kB`;
    return `${(count / 1e6).toFixed(1)} MB`;
  }

  const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

  const ACTIONS = [["create", "to create"], ["replace", "to replace"], ["resume", "to resume"], ["restore", "to restore"],
    ["move", "to move"], ["assemble", "to assemble"], ["remove", "to remove"], ["blocked", "blocked"]];

  /** Return a plan on one line, as in the terminal; with `all`, including the clips that are up to date. */
  function plan(summary) {
    const parts = ACTIONS.filter(([action]) => summary[action]).map(([action, text]) => `${summary[action]} ${text}`);
    if (!parts.length) return summary.noop ? "Everything is up to date" : "No clips";
    return parts.concat(summary.noop && summary.all ? [`${summary.noop} up to date`] : []).join(", ");
  }

  /** Return a text of clipform with short hashes, and with times in the reader's own zone. */
  const plainly = (text) => String(text).replace(/\b[0-9a-f]{64}\b/g, (hash) => `${hash.slice(0, 12)}…`)
    .replace(/\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ| \d\d:\d\d UTC)/g, (time) => day(time.replace(" UTC", "Z").replace(" ", "T")));

  /** Return why the plan has other steps of a clip than its card's own. */
  const others = ({ also, takes, action: own, sentence: why }) => also.filter((each) => each.action !== own || each.sentence !== why).map(({ action, take, sentence, detail }) =>
    `${action}${takes > 1 ? ` take ${take}` : ""}: ${sentence}${detail ? ` (${plainly(detail)})` : ""}`).join("; ");

  /** Return the file and line that declare a clip. */
  const place = (file) => (file && file.path ? `${file.path}:${file.line}` : "");

  return { STATES, GENERATES, sum, money, free, total, name, clock, exact, span, age, day, exactly, bytes, count, plan, plainly, others, place };
})();
