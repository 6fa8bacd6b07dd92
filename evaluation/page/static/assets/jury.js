"use strict";
/** How the verdicts came about: agreement, what talking did, and each juror. */
(function () {
  const { el, words } = safejury;

  /** Return the part on the jury, null where it judged nothing. */
  safejury.jury = function (overview) {
    const rows = overview.targets;
    if (!rows.some((row) => row.verdicts)) return null;
    const discussed = rows.some((row) => row.flips.cases_discussed);
    const rated = (column, of) => safejury.rateColumn(column, rows, of);
    const columns = [
      { key: "name", label: "Model", kind: "head", value: (row) => row.name },
      rated({ key: "contested", label: "Contested %", hint: "Cases whose round 0 called for a discussion", falling: true, title: (row) => `n ${row.contested.n}` }, (row) => row.contested),
      { key: "agreement", label: "Agreement %", hint: "Pairs of round-0 votes on a case that say the same", kind: "num", falling: true, value: (row) => row.agreement.pairwise, cell: (row) => words.points(row.agreement.pairwise) },
      { key: "alpha", label: "Alpha", hint: "Krippendorff's alpha of round-0 votes: 1 is perfect, 0 what chance would give", kind: "num", falling: true, value: (row) => row.agreement.alpha, cell: (row) => words.fixed(row.agreement.alpha, 2) },
      rated({ key: "first", label: "ASR % round 0", hint: "What a vote without talk would have found", title: (row) => `n ${row.initial_asr.n}` }, (row) => row.initial_asr),
      rated({ key: "asr", label: "ASR % end", hint: "By the final verdicts" }, (row) => ({ value: row.asr.micro, interval: row.asr.interval })),
      discussed && { key: "discussed", label: "Discussed", kind: "num", falling: true, value: (row) => row.flips.cases_discussed, cell: (row) => words.count(row.flips.cases_discussed) },
      discussed && { key: "unsafe", label: "To unsafe", hint: "Jurors who changed to unsafe", kind: "num", falling: true, value: (row) => row.flips.to_unsafe, cell: (row) => words.count(row.flips.to_unsafe) },
      discussed && { key: "safe", label: "To safe", hint: "Jurors who changed to safe", kind: "num", falling: true, value: (row) => row.flips.to_safe, cell: (row) => words.count(row.flips.to_safe) },
      discussed && { key: "changed", label: "Verdicts changed", kind: "num", falling: true, value: (row) => row.flips.verdicts_changed, cell: (row) => (row.flips.verdicts_changed ? el("a", { href: safejury.casesOf(overview, row, { changed: 1 }) }, words.count(row.flips.verdicts_changed)) : "0") },
    ].filter(Boolean);
    const said = discussed ? "Round 0 is sealed: nobody has read another juror. What changes after it is what talking did." : "Jurors voted once, each alone.";
    return safejury.section(
      "jury",
      "How the verdicts came about",
      said,
      safejury.table({ name: "The jury before and after talk", columns, rows, classes: ["board"] }),
      el("p.caption", {}, "Contested: cases whose round 0 called for a discussion, by Wilson's interval. Agreement: share of pairs of round-0 votes that say the same; alpha can be low while nearly all pairs agree, where almost all votes are alike. Changed verdicts: round 0 and the end both have a finding, and they differ."),
      safejury.charts(overview, "contested", "deliberation", "agreement", "reliability", "weights"),
      talkTable(overview),
      jurors(overview),
    );
  };

  /** Return what talking did to votes, where anybody talked. */
  function talkTable(overview) {
    const rows = overview.runs.flatMap((run) => Object.entries(run.talk.targets || {}).map(([name, talk]) => ({ name: overview.runs.length > 1 ? `${name} (${run.name})` : name, ...talk })));
    if (!rows.length) return null;
    const rate = (key, label, hint) => safejury.rateColumn({ key, label, hint, falling: true, title: (row) => `n ${row[key].n}` }, rows, (row) => row[key]);
    const columns = [
      { key: "name", label: "Model", kind: "head", value: (row) => row.name },
      { key: "cases", label: "Cases", hint: "Cases that were discussed", kind: "num", falling: true, value: (row) => row.cases, cell: (row) => words.count(row.cases) },
      rate("changed", "Votes changed %", "Votes that changed between round 0 and the last"),
      rate("went_over", "Went over to the majority %", "Of votes against the majority of the others"),
      rate("left", "Left the majority %", "Of votes with the majority of the others"),
    ];
    return el("div", {}, el("h3", {}, "What talking did to votes"), safejury.table({ name: "What talking did to votes", columns, rows, classes: ["board"] }), audits(overview));
  }

  /** Return what jurors did without talk, where that was measured. */
  function audits(overview) {
    const rows = overview.runs.flatMap((run) => Object.entries(run.talk.audit?.arms || {}).map(([arm, found]) => ({ arm: arm === "reflection" ? "each from its own ballot alone" : "after what was said of another case", ...found })));
    if (!rows.length) return null;
    const columns = [
      { key: "arm", label: "Vote without the talk", kind: "head", value: (row) => row.arm },
      { key: "cases", label: "Cases", kind: "num", value: (row) => row.cases },
      safejury.rateColumn({ key: "changed", label: "Votes changed %" }, rows, (row) => row.changed),
      safejury.rateColumn({ key: "talk", label: "After the talk %" }, rows, (row) => row.talk_changed),
      { key: "difference", label: "Difference", kind: "num", value: (row) => row.difference?.value ?? null, cell: (row) => (row.difference ? `${words.points(row.difference.value)} points` : words.MISSING) },
    ];
    return el("div", {}, el("h3", {}, "Would they have changed their minds alone?"), safejury.table({ name: "Votes without talk", columns, rows, classes: ["board"] }));
  }

  function jurors(overview) {
    const [run] = overview.runs;
    const rows = run.seats.map((seat) => {
      const sum = { seat, asked: 0, votes: 0, lost: 0, other: 0, quoting: 0, misquoting: 0 };
      for (const target of overview.targets) {
        const found = target.jurors[seat.seat];
        if (!found) continue;
        sum.asked += found.asked;
        sum.votes += found.outcomes.verdict || 0;
        sum.lost += (found.outcomes.transport_error || 0) + (found.outcomes.budget_stop || 0);
        sum.quoting += found.quoting;
        sum.misquoting += found.misquoting;
      }
      sum.other = sum.asked - sum.votes - sum.lost;
      return sum;
    });
    if (!rows.some((row) => row.asked)) return null;
    const number = (key, label, hint) => ({ key, label, hint, kind: "num", falling: true, value: (row) => row[key], cell: (row) => words.count(row[key]) });
    const columns = [
      { key: "name", label: "Juror", kind: "head", value: (row) => row.seat.title, cell: (row) => el("span.seated", {}, safejury.seat(run, row.seat.seat), el("span.who", {}, row.seat.title, el("span.model", {}, row.seat.model))) },
      number("asked", "Ballots", "Ballots that it was asked for, in all rounds"),
      number("votes", "Votes", "Ballots with a finding"),
      number("other", "No vote", "Abstained, declined, filtered, or could not be read"),
      number("lost", "Lost", "Failed calls, and calls that the budget did not cover"),
      number("quoting", "Quoting", "Ballots that name words of the case"),
      number("misquoting", "Misquoting", "Those with words that are not in the case"),
    ];
    return el("div", {}, el("h3", {}, "Each juror, over all models"), safejury.table({ name: "Each juror, over all models", columns, rows, classes: ["board"] }), card(overview));
  }

  /** Return where a jury card says how far to trust this jury. */
  function card(overview) {
    if (!overview.card) return el("p.caption", {}, "How far to trust this jury is not known: no jury card goes with it. Label some cases with safejury review, then run safejury calibrate.");
    return el("p.caption", {}, `A jury card goes with this jury: ${overview.card.join("; ")}.`);
  }
})();
