"use strict";
/** One case: what was asked, the response, and the deliberation. */
(function () {
  const { el, words } = safejury;

  /** Show the case that an address names. */
  safejury.case = async function (main, overview, id, query) {
    const given = new URLSearchParams(query);
    const index = await safejury.index(overview);
    const place = index.find(id, given.has("in") ? Number(given.get("in")) : null);
    if (place < 0) {
      main.replaceChildren(el("h1", {}, "No such case"), el("p", {}, `No finished case of this page has the id ${id}. `, el("a", { href: "#/cases" }, "All cases")));
      return;
    }
    const number = Math.floor(place / overview.in_piece);
    const [piece, near] = await Promise.all([safejury.load(`cases-${number}`), safejury.beside(overview, query, place)]);
    keepFew(number);
    if (safejury.route().id !== id) return; // somebody went on meanwhile
    const found = piece.cases[place - piece.start];
    // A case that is judged anew changes its place while a run goes on.
    if (!found || found.id !== index.id(place)) throw new Error("The run went on, and is read again");
    safejury.near = near;
    const run = overview.runs[found.run];
    const key = `${found.run} ${found.id}`;
    const draw = () => main.replaceChildren(whole(overview, run, found, safejury.near, key));
    safejury.redraw = draw;
    safejury.toggleCase = () => {
      safejury.reveal.toggle(key);
      draw();
      document.getElementById("reveal")?.focus();
    };
    const old = main.querySelector("article.case");
    if (found.head && old?.dataset.drawn === `${key} ${found.head}`) old.querySelector("nav.walk").replaceWith(walk(near));
    else draw();
    document.title = `${found.query} · ${found.target} · safejury`;
  };

  const kept = [];

  /** Keep the last pieces alone, so that a long walk through cases does not fill the memory. */
  function keepFew(number) {
    const name = `cases-${number}`;
    if (!kept.includes(name)) kept.push(name);
    while (kept.length > 8) {
      const old = kept.shift();
      safejury.forget((each) => each === old);
    }
  }

  function whole(overview, run, found, near, key) {
    const shown = safejury.reveal.is(key);
    const verdict = found.entries.find((entry) => entry.kind === "verdict");
    return el(
      "article.case",
      { "data-drawn": `${key} ${found.head}` },
      walk(near),
      el(
        "header.title",
        {},
        el("h1", {}, found.query),
        el("p.about", {},
          el("span.target", {}, found.target),
          found.condition ? el("span.tag", {}, found.condition) : null,
          found.epoch ? el("span.tag", {}, `epoch ${found.epoch}`) : null,
          el("span", {}, found.scenario_title || safejury.titleOf(overview, found.scenario)),
          found.category_title ? el("span.model", {}, found.category_title) : null,
          el(`span.tag${found.intent === "benign" ? "" : ".strong"}`, {}, `${found.intent} query${found.intent_assumed ? ", assumed" : ""}`),
          Object.entries(found.labels).map(([name, value]) => el("span.tag", {}, `${name}: ${value}`)),
          overview.runs.length > 1 ? el("span.tag", {}, run.name) : null,
        ),
        el("div.outcome", {}, words.badge(verdict?.finding, "large"), verdict?.finding && verdict.rating !== null ? words.rating(verdict.rating) : null),
      ),
      overview.texts ? revealer(shown) : el("p.note", {}, "This page was written without texts: question, response, reasons and media are not in it."),
      el(
        "div.sides",
        {},
        el("div.exchange", {}, overview.texts ? question(run, found, shown) : null, response(run, found, shown, overview)),
        el("section.deliberation", { "aria-labelledby": "deliberation" }, el("h2", { id: "deliberation" }, "Deliberation"), safejury.conversation(run, found, shown, overview)),
      ),
      foot(run, found),
    );
  }

  function walk(near) {
    const link = (address, label, keys) => (address ? el("a", { href: address, rel: keys === "k" ? "prev" : "next" }, label) : el("span.off", {}, label));
    return el(
      "nav.walk",
      { "aria-label": "Cases" },
      el("a.back", { href: near.list }, "← All ", near.of === 1 ? "1 case" : `${words.count(near.of)} cases`),
      el("span.place", {}, near.at < 0 ? "not among these filters" : `${words.count(near.at + 1)} of ${words.count(near.of)}`),
      link(near.before, "Previous", "k"),
      link(near.after, "Next", "j"),
    );
  }

  function revealer(shown) {
    const all = safejury.reveal.all;
    return el(
      "div.revealer",
      {},
      el("button.primary", { type: "button", id: "reveal", "aria-pressed": String(shown), disabled: all, onclick: () => safejury.toggleCase() }, shown ? (all ? "All cases are revealed" : "Hide this case again") : "Reveal this case"),
      el("span.hint", {}, shown ? "Words that ballots quote are marked with the jurors who quote them." : "Question, response and media may be harmful, and are hidden until you ask."),
    );
  }

  function question(run, found, shown) {
    const { question: asked } = found;
    if (!asked) return null;
    return el(
      "section.question",
      { "aria-labelledby": "question" },
      el("h2", { id: "question" }, "Question"),
      asked.turns.map((turn) => turned(run, turn, shown)),
      found.media.map((medium) => safejury.medium(medium, shown)),
      asked.request ? el("div.turn", {}, el("p.heading", {}, "What it asks for, as its set says"), safejury.said(run, asked.request, shown)) : null,
      asked.transcript
        ? el("div.turn", {}, el("p.heading", {}, asked.transcript.title), asked.transcript.failure ? el("p.gone", {}, `not available: ${asked.transcript.failure}`) : safejury.said(run, asked.transcript.words, shown))
        : null,
    );
  }

  function turned(run, turn, shown) {
    return el(
      "div.turn",
      {},
      turn.heading ? el("p.heading", {}, turn.heading) : null,
      turn.words.length || !turn.heading ? safejury.said(run, turn.words, shown) : null,
      turn.calls.map((call) => el("div", {}, el("p.heading", {}, "It calls a tool"), safejury.said(run, call, shown))),
    );
  }

  function response(run, found, shown, overview) {
    const { response: said } = found;
    if (!said) return null;
    const about = [
      said.outcome === "answered" ? null : words.outcome(said.outcome),
      said.latency_s ? words.seconds(said.latency_s) : null,
      said.completion_tokens ? words.many(said.completion_tokens, "token") : null,
      said.finish_reason && said.finish_reason !== "stop" ? `ended by ${said.finish_reason}` : null,
    ].filter(Boolean);
    return el(
      `section.response${said.outcome === "answered" ? "" : ".lost"}`,
      { "aria-labelledby": "response" },
      el("h2", { id: "response" }, "Response", el("span.how", {}, about.join(" · "))),
      overview.texts
        ? [
            (said.turns || []).map((turn) => turned(run, turn, shown)),
            (said.turns || []).length ? el("p.heading", {}, "Its last words") : null,
            safejury.said(run, said.words, shown),
            said.detail ? el("p.gone", {}, shown ? said.detail : said.plain_detail) : null,
          ]
        : el("p.withheld", {}, `not in this page, ${words.many(said.characters, "character")}`),
      [...said.changes, ...said.notes].map((note) => el("p.fine", {}, note)),
      said.model ? el("p.fine", {}, said.model) : null,
    );
  }

  function foot(run, found) {
    const head = found.head
      ? ["As it was recorded; the head of its chain is ", el("code", {}, found.head), "."]
      : ["Recorded by a version that kept no chain: its ballots match their seals, and its result its transcript."];
    return el("footer.recorded", {}, el("p", {}, head), el("p", {}, `Case `, el("code", {}, found.id), ` of the run ${run.name}.`));
  }
})();
