"use strict";
// The top bar: project, plan and price, the session's total, the connection, and the problems of the project.

Gallery.head = (() => {
  const { h, fill, find, foreign, icon } = Gallery.dom;
  const { plan, total, money, day, count, others } = Gallery.format;
  const { store, source, messages } = Gallery;
  const CONNECTIONS = {
    connecting: ["connecting", ""],
    live: ["live", "The page updates automatically"],
    away: ["reconnecting", "clipform does not answer; this page may be out of date"],
    gone: ["ended", "clipform has ended; this page may be out of date"],
    locked: ["ended", "Another clipform is running now: open the link that it printed"],
  };
  const THEMES = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };

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
      retitle();
    });
    find("apply-all").addEventListener("click", () => Gallery.dialogs.apply(null));
    find("skip").addEventListener("click", skip);
    find("stop").addEventListener("click", () => messages.act("stop", {}));
    find("theme").addEventListener("click", theme);
    find("help-button").addEventListener("click", () => Gallery.dialogs.help());
    fill(find("help-button"), icon("help"));
    find("skip-link").addEventListener("click", (event) => {
      event.preventDefault(); // the fragment selects the view
      find("main").focus();
    });
    showTheme(Gallery.theme.current());
    connection(store.state.connection);
  }

  function draw(head) {
    fill(find("project"), head.project);
    retitle();
    find("draft").hidden = !head.draft;
    const cost = total(head.cost);
    const generates = head.summary.create + head.summary.replace > 0;
    const run = head.run && head.run.total ? `Applying: ${head.run.done} of ${head.run.total}` : "";
    fill(find("plan"), run || plan(head.summary), !run && generates && !source.acts() && h("strong", { class: "to-pay" }, ` · ${cost}`));
    const unlike = [...store.state.cards.values()].filter((card) => card.action === "noop" && card.also.length);
    find("plan").title = run || [plan({ ...head.summary, all: true }), ...unlike.map((card) => `${card.id}: ${others(card)}`)].join("\n");
    session(head.session);
    actions(head);
    diagnostics(head);
    connection(store.state.connection);
  }

  /** Name the view and the project in the title of the document. */
  function retitle() {
    const { head, route } = store.state;
    if (!head) return;
    const view = { film: "Storyboard", changes: "Before and after", clip: route.id }[route.view];
    const mark = head.diagnostics.some((each) => each.severity === "error") ? "! " : "";
    document.title = `${mark}${view ? `${view} · ` : ""}${head.title || head.project}`;
  }

  function session(total) {
    const box = find("session");
    box.hidden = !total;
    if (!total) return;
    const spent = money({ amount: total.spent, currency: total.currency });
    const cap = total.cap === null ? null : Number(total.cap);
    const meter = cap !== null && h("meter", { min: "0", max: String(cap || 1), value: String(Math.min(cap, Number(total.spent))), "aria-label": "Spent in this session, of its limit" });
    fill(box, "Session ", h("strong", {}, spent === "free" ? "nothing spent" : spent), cap !== null && ` of ${money({ amount: total.cap, currency: total.currency })}`, meter,
      total.unpriced > 0 && ` + ${total.unpriced} unpriced`);
  }

  const ACTIONS = ["create", "replace", "resume", "restore", "move", "remove"];

  /** True if the plan on the page has steps to apply. */
  const hasSteps = (head) => !head.stale && ACTIONS.some((action) => head.summary[action] > 0);

  function actions(head) {
    find("actions").hidden = !source.acts();
    find("apply-all").hidden = !hasSteps(head);
    const steps = ACTIONS.reduce((all, action) => all + head.summary[action], 0);
    fill(find("apply-all"), "Apply ", h("span", { class: "wide" }, steps === 1 ? "" : "all "), "· ", total(head.cost));
    find("apply-all").title = count(steps, "step");
    find("skip").hidden = !(head.session && head.session.offer);
    running();
  }

  /** Show the Stop button while a clip is running. */
  function running() {
    const { head, cards } = store.state;
    find("stop").hidden = !(head && head.run) && ![...cards.values()].some((card) => card.running);
  }

  const skip = () => { if (!find("skip").hidden) messages.act("skip", {}); };

  function connection(now) {
    const box = find("connection");
    const head = store.state.head;
    const [text, title] = now === "report" ? [`report of ${head ? day(head.generated) : ""}`, "The project at that time"] : CONNECTIONS[now];
    box.dataset.is = now;
    if (box.textContent !== text) fill(box, text);
    box.title = title;
    if (now === "gone" && head) messages.show({ kind: "error", topic: "connection", text: "clipform has ended. To go on, run this command and open the link that it prints.", copy: head.restart });
    for (const id of ["apply-all", "skip", "stop"]) find(id).disabled = now !== "live";
  }

  function diagnostics({ diagnostics: problems, stale }) {
    const box = find("diagnostics");
    box.hidden = problems.length === 0;
    if (!problems.length) return void fill(box);
    const errors = problems.filter((each) => each.severity === "error").length;
    const title = errors ? `${count(errors, "problem")} in the project` : count(problems.length, "warning");
    box.classList.toggle("errors", errors > 0);
    fill(box, h("h2", {}, title), stale && h("p", {}, "The page shows the last valid plan. The project is read again when you save."),
      h("ul", {}, problems.map(problem)));
  }

  function problem(each) {
    const location = [each.file, each.line, each.column].filter(Boolean).join(":");
    return h("li", {}, h("p", {}, location && foreign("code", {}, location), foreign("span", {}, each.message)),
      (each.lines || []).length > 0 && h("pre", {}, each.lines.map(([number, text]) => h("span", { class: number === each.line ? "at" : null },
        h("span", { class: "number" }, String(number)), ...highlighted(text, number === each.line ? each.column : 0), "\n"))),
      each.help && foreign("p", { class: "help-text" }, each.help));
  }

  /** Return a line with the word at a column highlighted. */
  function highlighted(text, column) {
    if (!column || column > text.length) return [h("bdi", {}, text)];
    const tail = text.slice(column - 1);
    const word = tail.match(/^\S*/)[0] || tail;
    return [h("bdi", {}, text.slice(0, column - 1)), h("mark", { dir: "auto" }, word), h("bdi", {}, tail.slice(word.length))];
  }

  function theme() { showTheme(Gallery.theme.next()); }

  function showTheme(now) {
    fill(find("theme"), icon(now));
    find("theme").setAttribute("aria-label", THEMES[now]);
    find("theme").title = `${THEMES[now]} (t)`;
  }

  return { start, theme, skip, hasSteps };
})();
