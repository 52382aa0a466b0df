"use strict";
// The bar above everything: project, plan and its price, the session's meter, the connection, and what is wrong.

Gallery.head = (() => {
  const { h, fill, find, foreign, icon } = Gallery.dom;
  const { plan, total, money, day, count } = Gallery.words;
  const { store, source, messages } = Gallery;
  const CONNECTIONS = {
    connecting: ["connecting", ""],
    live: ["live", "Changes appear by themselves"],
    away: ["reconnecting", "clipform does not answer; what you see may be old"],
    locked: ["ended", "Another clipform runs here now: open the link that it printed"],
  };
  const THEMES = { auto: "Colours: as the system", light: "Colours: light", dark: "Colours: dark" };

  function start() {
    store.on("head", draw);
    store.on("card", running);
    store.on("list", running);
    store.on("connection", connection);
    store.on("route", (route) => {
      for (const link of document.querySelectorAll(".views a")) {
        if (link.dataset.view === route.view) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
    });
    find("apply-all").addEventListener("click", () => Gallery.dialogs.apply(null));
    find("skip").addEventListener("click", skip);
    find("stop").addEventListener("click", () => messages.act("stop", {}));
    find("theme").addEventListener("click", theme);
    find("help-button").addEventListener("click", () => Gallery.dialogs.help());
    fill(find("help-button"), icon("help"));
    find("skip-link").addEventListener("click", (event) => {
      event.preventDefault(); // the address after # is the view's
      find("main").focus();
    });
    themed(Gallery.theme.current());
    connection(store.state.connection);
  }

  function draw(head) {
    fill(find("project"), head.project);
    document.title = `${head.diagnostics.some((each) => each.severity === "error") ? "! " : ""}${head.title || head.project}`;
    find("draft").hidden = !head.draft;
    const cost = total(head.cost);
    const makes = head.summary.create + head.summary.replace > 0;
    const run = head.run && head.run.total ? `Applying: ${head.run.done} of ${head.run.total}` : "";
    fill(find("plan"), run || plan(head.summary), !run && makes && !source.live && h("strong", { class: "to-pay" }, ` · ${cost}`));
    find("plan").title = run || plan({ ...head.summary, all: true });
    session(head.session);
    actions(head);
    diagnostics(head);
    connection(store.state.connection);
  }

  function session(found) {
    const box = find("session");
    box.hidden = !found;
    if (!found) return;
    const spent = money({ amount: found.spent, currency: found.currency });
    const cap = found.cap === null ? null : Number(found.cap);
    const meter = cap !== null && h("meter", { min: "0", max: String(cap || 1), value: String(Math.min(cap, Number(found.spent))), "aria-label": "Spent of this session's bound" });
    fill(box, "Session ", h("strong", {}, spent === "free" ? "nothing spent" : spent), cap !== null && ` of ${money({ amount: found.cap, currency: found.currency })}`, meter,
      found.unpriced > 0 && ` + ${found.unpriced} unpriced`);
  }

  const ACTS = ["create", "replace", "resume", "restore", "move", "remove"];

  /** Whether the plan on the screen has anything to carry out. */
  const something = (head) => !head.stale && ACTS.some((action) => head.summary[action] > 0);

  function actions(head) {
    find("actions").hidden = !source.live;
    find("apply-all").hidden = !something(head);
    const steps = ACTS.reduce((all, action) => all + head.summary[action], 0);
    fill(find("apply-all"), "Apply ", h("span", { class: "wide" }, steps === 1 ? "" : "all "), "· ", total(head.cost));
    find("apply-all").setAttribute("aria-label", `Apply ${count(steps, "step")}, ${total(head.cost)}`);
    find("skip").hidden = !(head.session && head.session.offer);
    running();
  }

  /** Stop is there while something runs. */
  function running() {
    find("stop").hidden = ![...store.state.cards.values()].some((card) => card.running);
  }

  const skip = () => { if (!find("skip").hidden) messages.act("skip", {}); };

  function connection(now) {
    const box = find("connection");
    const head = store.state.head;
    const [text, title] = now === "report" ? [`report of ${head ? day(head.generated) : ""}`, "A picture of the project at that time"] : CONNECTIONS[now];
    box.dataset.is = now;
    if (box.textContent !== text) fill(box, text);
    box.title = title;
    for (const id of ["apply-all", "skip", "stop"]) find(id).disabled = now !== "live";
  }

  function diagnostics({ diagnostics: found, stale }) {
    const box = find("diagnostics");
    box.hidden = found.length === 0;
    if (!found.length) return void fill(box);
    const errors = found.filter((each) => each.severity === "error").length;
    const title = errors ? `${count(errors, "problem")} in the project` : count(found.length, "warning");
    box.classList.toggle("errors", errors > 0);
    fill(box, h("h2", {}, title), stale && h("p", {}, "What you see is the last plan that was good. It is looked at again when you save."),
      h("ul", {}, found.map(problem)));
  }

  function problem(each) {
    const where = [each.file, each.line, each.column].filter(Boolean).join(":");
    return h("li", {}, h("p", {}, where && foreign("code", {}, where), foreign("span", {}, each.message)),
      (each.lines || []).length > 0 && h("pre", {}, each.lines.map(([number, text]) => h("span", { class: number === each.line ? "at" : null },
        h("span", { class: "number" }, String(number)), ...marked(text, number === each.line ? each.column : 0), "\n"))),
      each.help && foreign("p", { class: "help-text" }, each.help));
  }

  /** A line with a mark from a column to the end of what stands there. */
  function marked(text, column) {
    if (!column || column > text.length) return [h("bdi", {}, text)];
    const rest = text.slice(column - 1);
    const word = rest.match(/^\S*/)[0] || rest;
    return [h("bdi", {}, text.slice(0, column - 1)), h("mark", { dir: "auto" }, word), h("bdi", {}, rest.slice(word.length))];
  }

  function theme() { themed(Gallery.theme.next()); }

  function themed(now) {
    fill(find("theme"), icon(now));
    find("theme").setAttribute("aria-label", THEMES[now]);
    find("theme").title = `${THEMES[now]} (t)`;
  }

  return { start, theme, skip, something };
})();
