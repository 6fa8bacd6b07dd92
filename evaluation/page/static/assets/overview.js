"use strict";
/** The first view: what was asked and how, what to beware of, and the figures. */
(function () {
  const { el, words } = safejury;

  /** Return the address of filtered cases. */
  function cases(choices) {
    const groups = {};
    for (const [name, value] of Object.entries(choices)) if (value !== undefined) groups[name] = [String(value)];
    return safejury.filter.write({ groups, text: "", sort: "", falling: false, page: 1 });
  }

  /** Return the address of the cases of a row of the leaderboard, and of one scenario or label. */
  function casesOf(overview, row, choices) {
    const conditions = overview.targets.some((each) => each.condition);
    const several = overview.runs.length > 1;
    return cases({ target: row.target, condition: conditions ? row.condition : undefined, run: several ? row.run : undefined, ...choices });
  }

  /** The title of a scenario or a category. */
  const title = (overview, id) => overview.titles[id] || words.plain(id);

  function section(id, name, lead, ...children) {
    return el(
      "section.part",
      { id, "aria-labelledby": `${id}-title` },
      el("h2", { id: `${id}-title` }, name),
      lead ? el("p.lead", {}, lead) : null,
      children,
    );
  }

  // ---- what was asked -------------------------------------------------------------------------

  function head(overview) {
    const { runs, targets } = overview;
    const models = new Set(targets.map((target) => target.target)).size;
    const [first] = runs;
    const guards = first.seats.filter((seat) => seat.guard).length;
    const jurors = first.seats.length - guards;
    const planned = runs.reduce((sum, run) => sum + run.planned, 0);
    const seated = words.many(jurors, "juror") + (guards ? ` and ${words.many(guards, "guard")}` : "");
    const done = overview.count < planned ? `${words.count(overview.count)} of ${words.many(planned, "case")}` : words.many(overview.count, "case");
    return el(
      "div.head",
      {},
      el("p.kicker", {}, "Safety report"),
      el("h1", {}, runs.map((run) => run.name).join(" · ")),
      el("p.said", {}, `${words.many(models, "model")} under test, ${done}, judged by ${seated}.`),
    );
  }

  const TALK = { never: "never", contested: "where round 0 is contested", always: "always", roundtable: "at a roundtable, where round 0 is contested" };

  function facts(overview) {
    const [run] = overview.runs;
    const { protocol } = run;
    const conditions = [...new Set(overview.runs.flatMap((each) => each.conditions))];
    const epochs = Math.max(...overview.runs.map((each) => each.epochs));
    const rows = [
      ["Protocol", `${protocol.name}: ${protocol.rule}, talk ${TALK[protocol.talk] || protocol.talk}`],
      run.rubric ? ["Rubric", run.rubric] : null,
      run.foreperson ? ["Foreperson", run.foreperson] : null,
      ["Set", overview.runs.map((each) => each.dataset.name || "not named").filter((name, at, all) => all.indexOf(name) === at).join(", ")],
      conditions.length ? ["Conditions", ["as given", ...conditions].join(", ")] : null,
      epochs > 1 ? ["Epochs", String(epochs)] : null,
      overview.runs.some((each) => each.begun) ? ["Begun", overview.runs.map((each) => words.when(each.begun)).join("; ")] : null,
      overview.runs.some((each) => each.ended) ? ["Ended", overview.runs.map((each) => words.when(each.ended)).join("; ")] : null,
      ["Version", `safejury ${run.safejury || "unknown"}${run.safejury === overview.safejury ? "" : `; page by ${overview.safejury}`}`],
    ].filter(Boolean);
    return el(
      "div.facts",
      {},
      el("dl", {}, rows.map(([name, said]) => el("div", {}, el("dt", {}, name), el("dd", {}, said)))),
      el("div.jury", {}, el("h3", {}, "The jury"), el("ul.seats", {}, run.seats.map((seat) => seatItem(run, seat)))),
      el(
        "dl.digests",
        {},
        overview.runs.map((each) =>
          el(
            "div",
            {},
            el("dt", {}, overview.runs.length > 1 ? `SHA-256 of ${each.name}` : "SHA-256 of the record"),
            el("dd", {}, el("code", {}, each.digest)),
          ),
        ),
      ),
    );
  }

  function seatItem(run, seat) {
    return el(
      "li",
      {},
      safejury.seat(run, seat.seat),
      el("span.who", {}, el("b", {}, seat.title), el("span.model", {}, seat.guard ? `${seat.model}, guard` : seat.model)),
    );
  }

  // ---- what to beware of ----------------------------------------------------------------------

  function beware(overview) {
    const several = overview.runs.length > 1;
    // What it says of one run stands among the notes of that run.
    const said = overview.notes.filter((text) => !overview.runs.some((run) => text.startsWith(run.name)));
    said.push(...overview.runs.flatMap((run) =>
      [...run.notes, ...run.warnings, ...run.comparability].map((text) => (several ? `${run.name}: ${text}` : text)),
    ));
    if (!overview.texts) said.unshift("This page was written without texts: questions, responses, the jurors' words and media are not in it.");
    if (overview.figures_missing) said.push(overview.figures_missing);
    const lost = unjudged(overview);
    if (!said.length && !lost.length) return null;
    const shown = said.slice(0, 4).map((text) => el("li", {}, text));
    const rest = said.slice(4).map((text) => el("li", {}, text));
    return el(
      "section.beware",
      { "aria-labelledby": "beware" },
      el("h2", { id: "beware" }, el("span", { "aria-hidden": "true" }, "! "), "Read this first"),
      lost.length ? el("ul.chips", { "aria-label": "What was not judged" }, lost) : null,
      shown.length ? el("ul.notes", {}, shown) : null,
      rest.length ? el("details.more", {}, el("summary", {}, `${words.count(rest.length)} more`), el("ul.notes", {}, rest)) : null,
    );
  }

  /** Return chips that name what was not judged, each a link to its cases. */
  function unjudged(overview) {
    const sum = (of) => overview.targets.reduce((total, target) => total + of(target), 0);
    const planned = overview.runs.reduce((total, run) => total + run.planned, 0);
    const chips = [];
    const chip = (number, text, address) => {
      if (number > 0) chips.push(el("li", {}, address ? el("a.chip", { href: address }, `${words.count(number)} ${text}`) : el("span.chip", {}, `${words.count(number)} ${text}`)));
    };
    chip(planned - overview.count, "not finished", null);
    chip(sum((t) => t.outcomes.verdicts.no_verdict || 0), "without a verdict", cases({ outcome: "no_verdict" }));
    for (const name of ["filtered", "truncated", "error", "not_put", "gave_up"]) {
      const number = sum((t) => t.outcomes.responses[name] || 0);
      chip(number, number === 1 ? `response ${words.outcome(name)}` : `responses ${words.outcome(name)}`, cases({ response: name }));
    }
    const lost = sum((t) => Object.values(t.jurors).reduce((n, j) => n + (j.outcomes.transport_error || 0) + (j.outcomes.budget_stop || 0), 0));
    chip(lost, lost === 1 ? "lost ballot" : "lost ballots", cases({ lost: 1 }));
    chip(sum((t) => t.intents_assumed || 0), "of assumed intent", null);
    return chips;
  }

  // ---- the leaderboard ------------------------------------------------------------------------

  function leaderboard(overview) {
    const rows = overview.targets;
    const corrected = rows.some((row) => row.asr.corrected_method);
    const benign = rows.some((row) => row.over_refusal.n);
    const several = overview.runs.length > 1;
    const name = (row) => el("span.target", {}, el("a", { href: casesOf(overview, row) }, row.target), row.condition ? el("span.tag", {}, row.condition) : null, several ? el("span.tag", {}, overview.runs[row.run].name) : null);
    const n = (rate) => `n ${words.count(rate.n)}${rate.queries && rate.queries !== rate.n ? `, ${words.count(rate.queries)} queries` : ""}`;
    const rated = (column, of) => safejury.rateColumn(column, rows, of);
    const columns = [
      { key: "name", label: "Model", kind: "head", value: (row) => row.name, cell: name },
      rated({ key: "asr", label: "ASR %", hint: "Attack success rate: unsafe verdicts per harmful query with a verdict; lower is safer", title: (row) => n(row.asr) }, (row) => ({ value: row.asr.micro, interval: row.asr.interval })),
      { key: "n", label: "n", hint: "Harmful cases with a verdict", kind: "num", falling: true, value: (row) => row.asr.n, cell: (row) => words.count(row.asr.n) },
      corrected && rated({ key: "corrected", label: "ASR corrected %", hint: "What people would have found, estimated from labels", title: (row) => row.asr.corrected_why || `by ${row.asr.corrected_method}, ${row.asr.corrected_labels} labels` }, (row) => ({ value: row.asr.corrected ?? null, interval: row.asr.corrected_interval })),
      rated({ key: "macro", label: "Macro ASR %", hint: "Mean of the categories' rates" }, (row) => ({ value: row.asr.macro, interval: row.asr.macro_interval })),
      rated({ key: "sri", label: "SRI", hint: "Safety risk index, 20 to 100; higher is safer", falling: true, index: true }, (row) => ({ value: row.sri.micro, interval: row.sri.interval })),
      benign && rated({ key: "over", label: "Over-refusal %", hint: "Benign queries that were declined", title: (row) => n(row.over_refusal) }, (row) => row.over_refusal),
      { key: "coverage", label: "Coverage %", hint: "Cases with a verdict, of all that are planned", kind: "num", falling: true, value: (row) => row.coverage, cell: (row) => words.points(row.coverage) },
      { key: "cost", label: "Cost", hint: "US dollars of all calls, the jury's included", kind: "num", value: (row) => row.cost_usd ?? row.cost_usd_known, cell: (row) => words.cost(row) },
    ].filter(Boolean);
    return section(
      "leaderboard",
      "Models under test",
      "Safest first; a click on a heading sorts by it. The line under a rate is its 95 % interval, on one scale for the column.",
      safejury.table({ name: "Models under test", columns, rows, sort: "asr", classes: ["board", "cards"] }),
      el("p.caption", {}, "ASR: unsafe verdicts per harmful query, lower is safer, by Wilson's interval. n: harmful cases with a verdict. Macro: mean of the categories. SRI: 20 to 100, higher is safer, from each case's median rating. Intervals say how far the choice of queries alone could have moved a figure. –: nothing was measured."),
      safejury.downloads(overview, "leaderboard", "safety-index", "over-refusal"),
      safejury.charts(overview, "outcomes"),
    );
  }

  // ---- where it fails -------------------------------------------------------------------------

  /** Return the step of the color of a share: 0 alone has the lightest. */
  function heat(share, bounds) {
    const step = bounds.filter((bound) => share >= bound).length;
    return step === 0 && share > 0 ? 1 : step;
  }

  function map(overview) {
    const rows = overview.targets;
    if (!rows.some((row) => row.asr.n)) return null;
    const place = el("div");
    const names = (kind) => [...new Set(rows.flatMap((row) => Object.keys(row[kind])))].sort(safejury.collator.compare);
    const draw = (kind) => place.replaceChildren(grid(overview, rows, kind, names(kind)));
    const choice = el(
      "div.choice",
      { role: "group", "aria-label": "Rows of the map" },
      ["categories", "scenarios"].map((kind) =>
        el("button", { type: "button", "aria-pressed": String(kind === "categories"), onclick: (event) => {
          for (const button of choice.children) button.setAttribute("aria-pressed", String(button === event.currentTarget));
          draw(kind);
        } }, kind === "categories" ? "Categories" : "Scenarios"),
      ),
    );
    draw("categories");
    return section(
      "map",
      "Where it fails",
      "Attack success rate in percent, with the number of harmful cases below it. A cell leads to its cases.",
      choice,
      place,
      safejury.downloads(overview, "categories", "scenarios"),
      el("p.caption", {}, `The stronger the color, the less safe, in steps: 0, and from above 0, ${overview.heat_bounds.slice(1).map((bound) => 100 * bound).join(", ")} % on. With few cases a rate says little: read n. Of many cells some are high by chance alone.`),
      safejury.charts(overview, "radar"),
    );
  }

  function grid(overview, rows, kind, names) {
    const columns = [
      { key: "name", label: kind === "categories" ? "Category" : "Scenario", kind: "head", cell: (name) => title(overview, name), value: (name) => title(overview, name) },
      ...rows.map((row) => ({
        key: row.name,
        label: row.name,
        kind: "mapped",
        falling: true,
        value: (name) => row[kind][name]?.asr.micro ?? null,
        cell: (name) => cell(row[kind][name], casesOf(overview, row, { scenario: name }), `${title(overview, name)}, ${row.name}`, overview.heat_bounds),
      })),
    ];
    return safejury.table({ name: "Attack success rate by target", columns, rows: names, classes: ["map"] });
  }

  function cell(part, address, name, bounds) {
    if (!part || part.asr.micro === null) return el("span.heat.none", {}, words.MISSING);
    const { asr } = part;
    const said = `${name}: ${words.percent(asr.micro)}, interval ${words.span(asr.interval)}, n ${asr.n}`;
    return el(`a.heat.h${heat(asr.micro, bounds)}`, { href: address, title: said }, el("b", {}, words.points(asr.micro)), el("small", {}, `n ${words.count(asr.n)}`));
  }

  // ---- by a label -----------------------------------------------------------------------------

  /** Return the breakdown that was asked for, where it is not shown anyway. */
  function groups(overview) {
    const { by } = overview;
    if (!by || !by.startsWith("labels.")) return null;
    const name = by.slice("labels.".length);
    const rows = overview.targets.flatMap((target) => (target.groups || []).map((group) => ({ ...group, target })));
    const rated = (column, of) => safejury.rateColumn(column, rows, of);
    const columns = [
      { key: "value", label: name, kind: "head", value: (row) => row.value ?? "", cell: (row) => el("a", { href: casesOf(overview, row.target, { [`label.${name}`]: row.value ?? "" }) }, row.value ?? "(no label)") },
      overview.targets.length > 1 && { key: "target", label: "Model", value: (row) => row.target.name },
      rated({ key: "asr", label: "ASR %", falling: true, title: (row) => `n ${row.asr.n}` }, (row) => ({ value: row.asr.micro, interval: row.asr.interval })),
      { key: "n", label: "n", kind: "num", falling: true, value: (row) => row.asr.n, cell: (row) => words.count(row.asr.n) },
      rated({ key: "sri", label: "SRI", falling: true, index: true }, (row) => ({ value: row.sri.micro, interval: row.sri.interval })),
      rated({ key: "over", label: "Over-refusal %", falling: true, title: (row) => `n ${row.over_refusal.n}` }, (row) => row.over_refusal),
      { key: "cases", label: "Cases", kind: "num", falling: true, value: (row) => row.cases, cell: (row) => words.count(row.cases) },
    ].filter(Boolean);
    return section("by", `By ${name}`, "As the set or the file of responses labels its queries.", safejury.table({ name: `By ${name}`, columns, rows, classes: ["board"] }), el("p.caption", {}, "Wilson's intervals. Of 20 values one lies outside of its 95 % interval by chance."));
  }

  // ---- cost and time --------------------------------------------------------------------------

  function costs(overview) {
    const rows = overview.targets;
    const timed = rows.some((row) => row.latency);
    const columns = [
      { key: "name", label: "Model", kind: "head", value: (row) => row.name },
      { key: "calls", label: "Calls", kind: "num", falling: true, value: (row) => row.calls, cell: (row) => words.count(row.calls) },
      { key: "prompt", label: "Prompt tokens", kind: "num", falling: true, value: (row) => row.tokens.prompt ?? row.tokens.known.prompt, cell: (row) => (row.tokens.prompt === null ? `≥${words.count(row.tokens.known.prompt)}` : words.count(row.tokens.prompt)) },
      { key: "completion", label: "Reply tokens", kind: "num", falling: true, value: (row) => row.tokens.completion ?? row.tokens.known.completion, cell: (row) => (row.tokens.completion === null ? `≥${words.count(row.tokens.known.completion)}` : words.count(row.tokens.completion)) },
      { key: "cost", label: "Cost", kind: "num", falling: true, value: (row) => row.cost_usd ?? row.cost_usd_known, cell: (row) => words.cost(row) },
      { key: "each", label: "Per verdict", kind: "num", falling: true, value: (row) => each(row), cell: (row) => words.dollars(each(row)) },
      timed && { key: "median", label: "Response, median", hint: "Seconds of the target's calls", kind: "num", falling: true, value: (row) => row.latency?.median ?? null, cell: (row) => words.seconds(row.latency?.median) },
      timed && { key: "high", label: "90th percentile", hint: "A tenth of them took longer", kind: "num", falling: true, value: (row) => row.latency?.high ?? null, cell: (row) => words.seconds(row.latency?.high) },
    ].filter(Boolean);
    return section(
      "cost",
      "Cost and time",
      null,
      safejury.table({ name: "Cost and time", columns, rows, classes: ["board"] }),
      el("p.caption", {}, [
        overview.runs.map((run) => run.cost).filter(Boolean).join(" "),
        timed ? " Times are of the targets' own calls, retries included, under the load of the run." : " The record has no times of responses: they were recorded elsewhere.",
        " ≥: the cost of some calls is not known.",
      ]),
      safejury.charts(overview, "cost", "latency"),
    );
  }

  function each(row) {
    return row.cost_usd !== null && row.verdicts ? row.cost_usd / row.verdicts : null;
  }

  // ---- studies --------------------------------------------------------------------------------

  const STUDIES = [
    ["conditions", "Conditions", "The same queries put in other ways: pictures changed, speech for text.", ["image-conditions", "sound-conditions"]],
    ["facts", "Size, family and age", "What is known of the models beside what they did.", ["size", "family", "backbone", "released"]],
  ];
  const PLACED = ["leaderboard", "safety-index", "over-refusal", "outcomes", "categories", "scenarios", "radar", "contested", "deliberation", "agreement", "reliability", "weights", "cost", "latency"];

  /** Return a part for each study that there are charts of, and one for charts of no other part. */
  function studies(overview) {
    const others = safejury.otherCharts(overview, ...PLACED, ...STUDIES.flatMap(([, , , names]) => names));
    return [...STUDIES, ["more", "More charts", null, others]].map(([id, name, lead, names]) => {
      const charts = safejury.charts(overview, ...names);
      return charts ? section(id, name, lead, charts) : null;
    });
  }

  // ---- the whole ------------------------------------------------------------------------------

  /** Return the overview. */
  safejury.overview = function (overview) {
    document.title = `${overview.runs.map((run) => run.name).join(", ")} · safejury`;
    const judged = overview.targets.some((row) => row.verdicts);
    return el(
      "div.overview",
      {},
      head(overview),
      beware(overview),
      facts(overview),
      judged
        ? [leaderboard(overview), map(overview), groups(overview), ...studies(overview), safejury.jury(overview)]
        : section("leaderboard", "No verdicts yet", overview.count ? "No case of this page has a verdict, so there is no rate to show. The cases say why." : "No case is finished yet."),
      overview.count ? costs(overview) : null,
    );
  };
  Object.assign(safejury, { section, casesOf, titleOf: title });
})();
