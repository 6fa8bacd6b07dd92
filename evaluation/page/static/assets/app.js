"use strict";
/** Shows what the address asks for, and knows the keys. */
(function () {
  const { el, words } = safejury;
  const main = document.getElementById("main");
  let overview = null;
  let last = "";
  const scrolled = new Map();

  /** Return what an address asks for. */
  safejury.route = function () {
    const hash = window.location.hash.replace(/^#\/?/, "");
    const [path, query = ""] = split(hash);
    const [view, ...rest] = path.split("/");
    let id = rest.join("/");
    try {
      id = decodeURIComponent(id);
    } catch {
      // an address that somebody wrote by hand
    }
    return { view: view || "overview", id, query };
  };

  function split(hash) {
    const at = hash.indexOf("?");
    return at < 0 ? [hash] : [hash.slice(0, at), hash.slice(at + 1)];
  }

  async function show({ anew = false } = {}) {
    const hash = window.location.hash;
    const { view, id, query } = safejury.route();
    const moved = view + id !== last;
    if (moved) safejury.redraw = safejury.toggleCase = null;
    if (!last) main.replaceChildren(el("p.empty", { role: "status" }, "Reading…"));
    try {
      if (!overview) main.append(el("p.reading", { role: "status" }, "Reading the run. With many cases this takes a moment."));
      overview ||= await safejury.load("overview");
      const draw = anew ? kept : (_, draws) => draws();
      draw(document.getElementById("top"), () => bar(view));
      if (view === "cases") await safejury.cases(main, overview, query);
      else if (view === "case") await safejury.case(main, overview, id, query);
      else if (moved || anew || !main.querySelector(".overview")) draw(main, () => main.replaceChildren(safejury.overview(overview)));
    } catch (error) {
      main.replaceChildren(el("h1", {}, "This part cannot be shown"), el("p", {}, `${error.message}. Is the folder whole? Copy or write it again.`));
    }
    if (moved) {
      const first = last === "";
      last = view + id;
      const to = scrolled.get(hash);
      window.scrollTo({ top: to || 0, behavior: "instant" });
      if (!first) main.focus({ preventScroll: true });
    }
  }

  /** Draw anew what somebody is looking at: what has the focus, is unfolded or scrolled stays so. */
  function kept(part, draw) {
    const path = [];
    for (let at = document.activeElement; part.contains(at) && at !== part; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
    const open = [...part.querySelectorAll("details")].map((each) => each.open);
    const left = [...part.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
    draw();
    part.querySelectorAll("details").forEach((each, at) => (each.open ||= Boolean(open[at])));
    part.querySelectorAll(".scroll").forEach((each, at) => (each.scrollLeft = left[at] || 0));
    const focused = path.length ? path.reduce((at, place) => at?.children[place], part) : null;
    focused?.focus({ preventScroll: true });
  }
  safejury.show = show;

  function bar(view) {
    const top = document.getElementById("top");
    const link = (to, name, current) => el("a", { href: to, "aria-current": current ? "page" : null }, name);
    const theme = el("button.quiet", { type: "button", onclick: () => say() }, "");
    const say = (first) => {
      const choice = first ? safejury.theme.current : safejury.theme.next();
      theme.textContent = { auto: "◐ Auto", light: "○ Light", dark: "● Dark" }[choice];
      theme.setAttribute("aria-label", `Colors: ${choice}`);
    };
    say(true);
    const reveal = overview.texts
      ? el("button.quiet", { type: "button", id: "reveal-all", "aria-pressed": String(safejury.reveal.all), onclick: () => { safejury.reveal.toggleAll(); bar(safejury.route().view); safejury.redraw?.(); document.getElementById("reveal-all").focus(); } }, safejury.reveal.all ? "Hide harmful content" : "Reveal all cases")
      : null;
    top.replaceChildren(
      el("div.bar", {},
        el("a.brand", { href: "#/" }, "safejury"),
        el("nav", { "aria-label": "Views" }, link("#/", "Overview", view === "overview"), link("#/cases", `Cases ${words.count(overview.count)}`, view === "cases" || view === "case")),
        el("div.tools", {}, reveal, el("button.quiet", { type: "button", "aria-label": "Keys", onclick: help }, "?"), theme),
      ),
    );
    document.getElementById("foot").replaceChildren(el("p", {}, `Written by safejury ${overview.safejury}, ${words.when(overview.made)}. This page reaches no network.`));
  }

  // ---- keys -----------------------------------------------------------------------------------

  const KEYS = [
    ["/", "Look for words"],
    ["j, →", "Next case"],
    ["k, ←", "Previous case"],
    ["r", "Reveal or hide this case"],
    ["Esc", "Back to the list, or to the overview"],
    ["?", "This list"],
  ];

  function help() {
    const dialog = el(
      "dialog.keys",
      { "aria-labelledby": "keys", onclose: () => dialog.remove() },
      el("h2", { id: "keys" }, "Keys"),
      el("dl", {}, KEYS.map(([key, said]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, said)))),
      el("form", { method: "dialog" }, el("button.primary", { type: "button", onclick: () => dialog.close() }, "Close")),
    );
    document.body.append(dialog);
    dialog.showModal();
  }

  function typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { view } = safejury.route();
    const target = event.target;
    const writing = target instanceof HTMLElement && (target.matches("input:not([type=checkbox]), select, textarea") || target.isContentEditable);
    if (event.key === "Escape") return back(event, view, writing);
    if (writing || target.closest?.(".scroll, .drawing, audio") && event.key.startsWith("Arrow")) return;
    if (event.key === "/") {
      event.preventDefault();
      if (view !== "cases") window.location.hash = "#/cases";
      setTimeout(() => focusSearch(20), 0);
    } else if (event.key === "?") help();
    else if (event.key === "r" && view === "case") safejury.toggleCase?.();
    else if (view === "case" && ["j", "ArrowRight"].includes(event.key)) step(safejury.near?.after);
    else if (view === "case" && ["k", "ArrowLeft"].includes(event.key)) step(safejury.near?.before);
    else if (view === "cases" && event.key === "j") safejury.moveInList(1);
    else if (view === "cases" && event.key === "k") safejury.moveInList(-1);
  }

  function focusSearch(tries) {
    const box = document.getElementById("search");
    if (box) box.select();
    else if (tries) setTimeout(() => focusSearch(tries - 1), 50);
  }

  function step(address) {
    if (address) window.location.hash = address;
  }

  function back(event, view, writing) {
    if (writing) event.target.blur();
    else if (view === "case") window.location.hash = safejury.near?.list || "#/cases";
    else if (view === "cases") window.location.hash = "#/";
  }

  /** Read everything again, as for a run that goes on; what is shown stays where it is. */
  safejury.refresh = async function (revision) {
    overview = await safejury.load("overview", revision);
    safejury.forget((name) => name !== "overview");
    safejury.filter.forget();
    safejury.forgetFound();
    await safejury.index(overview, revision);
    const at = window.scrollY;
    await show({ anew: true });
    window.scrollTo({ top: at, behavior: "instant" });
  };

  // On paper nothing can be unfolded.
  const folded = new Set();
  window.addEventListener("beforeprint", () => {
    for (const each of main.querySelectorAll("details:not([open])")) {
      folded.add(each);
      each.open = true;
    }
  });
  window.addEventListener("afterprint", () => {
    for (const each of folded) each.open = false;
    folded.clear();
  });
  window.addEventListener("hashchange", (event) => {
    const old = new URL(event.oldURL).hash;
    scrolled.set(old, before);
    show();
  });
  let before = 0;
  history.scrollRestoration = "manual"; // a browser would do it late, and to where nobody was
  window.addEventListener("scroll", () => (before = window.scrollY), { passive: true });
  document.addEventListener("keydown", typed);
  document.querySelector("a.skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address names the view
    main.focus();
    main.scrollIntoView();
  });
  show();
})();
