"use strict";
/** A deliberation as a conversation: round by round, from sealed ballots to the verdict. */
(function () {
  const { el, words } = safejury;

  /** Return the deliberation of a case. */
  safejury.conversation = function (run, found, shown, overview) {
    const items = found.entries.map((entry) => part(run, entry, shown, overview)).filter(Boolean);
    return el("ol.talk", {}, items.map((item) => el("li", {}, item)));
  };

  function part(run, entry, shown, overview) {
    if (entry.kind === "round") return round(run, entry, shown, overview);
    if (entry.kind === "discussion") return step("The foreperson opens the discussion", entry.why);
    if (entry.kind === "remark") return remark(run, entry);
    if (entry.kind === "summary") return summary(entry);
    if (entry.kind === "verdict") return verdict(run, entry, shown, overview);
    if (entry.kind === "audit") return audit(run, entry, shown, overview);
    return null;
  }

  function step(title, text) {
    return el("div.step", {}, el("h3", {}, title), text ? el("p", {}, text) : null);
  }

  function round(run, entry, shown, overview) {
    const how = entry.round === 0 ? "sealed ballots, opened together" : "after the discussion, sealed again";
    const changed = entry.ballots.filter((ballot) => ballot.changed);
    const moved = changed.length ? `${words.many(changed.length, "juror")} changed their mind` : entry.round ? "nobody changed their mind" : "";
    return el(
      "section.round",
      { "aria-label": `Round ${entry.round}` },
      el("h3", {}, `Round ${entry.round}`, el("span.how", {}, how), moved ? el("span.how.moved", {}, moved) : null),
      el("ul.ballots", {}, entry.ballots.map((one) => el("li", {}, ballot(run, one, shown, overview)))),
      entry.not_asked.length ? el("p.aside", {}, `Not asked, since the outcome was clear: ${entry.not_asked.map((seat) => safejury.seatTitle(run, seat)).join(", ")}.`) : null,
    );
  }

  function ballot(run, one, shown, overview) {
    const voted = one.outcome === "verdict";
    const info = safejury.seatInfo(run, one.seat);
    const kind = voted ? `is-${one.finding}` : "is-lost";
    const lines = [];
    if (one.stands) lines.push(el("p.aside", {}, "The ballot of round 0 stands: a guard is not asked again."));
    if (one.changed) {
      lines.push(el("p.changed", {}, "Changed their mind from ", el("b", {}, one.changed), " to ", el("b", {}, one.finding), "."));
    }
    if (voted) lines.push(el("p.reason", {}, one.reason || (overview.texts ? `(${one.no_reason})` : "(reason not in this page)")));
    else lines.push(el("p.reason.lost", {}, one.detail || "No vote."));
    if (!voted && one.reason) lines.push(el("p.reason", {}, one.reason));
    if (one.before) lines.push(el("details.before", { open: true }, el("summary", {}, `Before, for ${one.changed}`), el("p", {}, one.before)));
    const criteria = one.categories || one.criteria || [];
    return el(
      `article.ballot.${kind}${one.changed ? ".flipped" : ""}`,
      { "aria-label": `${safejury.seatTitle(run, one.seat)}, round ${one.round}` },
      el(
        "header",
        {},
        safejury.seat(run, one.seat),
        el("span.who", {}, el("b", {}, safejury.seatTitle(run, one.seat)), el("span.model", {}, [info?.model, one.guard ? "guard" : null].filter(Boolean).join(", "))),
        voted ? words.badge(one.finding) : el("span.badge.is-lost", {}, el("span", { "aria-hidden": "true" }, "✕"), words.outcome(one.outcome)),
        voted && one.rating !== null ? words.rating(one.rating) : null,
      ),
      lines,
      criteria.length ? el("ul.criteria", { "aria-label": one.guard ? "What it says is violated" : "Criteria met" }, criteria.map((name) => el("li", {}, name))) : null,
      quotes(one, shown),
      el("p.fine", {}, asides(one)),
      (one.tools || []).length ? el("ul.tools", {}, one.tools.map((line) => el("li", {}, line))) : null,
    );
  }

  /** What a ballot relies on: words of the case, which are as harmful as the case. */
  function quotes(one, shown) {
    if (!one.quoting && !one.misquoting) return null;
    const parts = [];
    if (one.quoting) {
      if (shown && one.quotes) parts.push(el("p.quotes", {}, "Relies on ", one.quotes.map((quote, at) => [at ? ", " : "", el("q", {}, quote)])));
      else parts.push(el("p.quotes", {}, `Relies on ${words.many(one.quoting, "passage")} of the case.`));
    }
    if (one.misquoting) {
      if (shown && one.misquotes) parts.push(el("p.quotes.wrong", {}, "Not in the case: ", one.misquotes.map((quote, at) => [at ? ", " : "", el("q", {}, quote)])));
      else parts.push(el("p.quotes.wrong", {}, `${words.many(one.misquoting, "quote is", "quotes are")} not in the case.`));
    }
    return parts;
  }

  function asides(one) {
    const said = [];
    if (one.declined !== null && one.declined !== undefined) said.push(one.declined ? "says the response declined" : "says the response did not decline");
    if (one.contradicts_itself) said.push("its rating says the opposite of its finding");
    if (one.withheld.length) said.push(`did not receive: ${one.withheld.join(", ")}`);
    if (one.transcript) said.push(`read a transcript: ${one.transcript}`);
    said.push(...(one.asides || []), ...(one.notes || []));
    if (one.latency_s) said.push(words.seconds(one.latency_s));
    if (one.prompt_tokens !== null && one.calls) said.push(`${words.count(one.prompt_tokens + (one.completion_tokens || 0))} tokens`);
    if (one.cost_usd) said.push(words.dollars(one.cost_usd));
    return said.join(" · ");
  }

  function remark(run, entry) {
    const who = el("span.who", {}, el("b", {}, safejury.seatTitle(run, entry.seat)), el("span.model", {}, `heard as ${entry.alias}`));
    const to = entry.to ? el("span.to", {}, ` to ${entry.to}${entry.to_seat ? ` (${safejury.seatTitle(run, entry.to_seat)})` : ""}`) : null;
    if (entry.outcome === "passed") return el("p.remark.passed", {}, safejury.seat(run, entry.seat), who, "passes");
    if (entry.outcome !== "spoke") return el("div.remark.lost", {}, el("header", {}, safejury.seat(run, entry.seat), who, el("span.badge.is-lost", {}, words.outcome(entry.outcome))), el("p", {}, entry.detail || "Nothing was said."));
    return el(
      "div.remark",
      {},
      el("header", {}, safejury.seat(run, entry.seat), who, to),
      el("p", {}, entry.words || "(words not in this page)"),
      (entry.tools || []).length ? el("ul.tools", {}, entry.tools.map((line) => el("li", {}, line))) : null,
    );
  }

  function summary(entry) {
    return el(
      "div.step.summary",
      {},
      el("h3", {}, "The foreperson sums up"),
      entry.words ? el("blockquote", {}, entry.words) : null,
      entry.detail || !entry.words ? el("p.reason.lost", {}, entry.detail || "No summary.") : null,
    );
  }

  function audit(run, entry, shown, overview) {
    return el(
      "section.round.audit",
      {},
      el("h3", {}, `Talk audit: ${entry.arm}`, el("span.how", {}, `${entry.knew}; this counts for nothing`)),
      el("ul.ballots", {}, entry.ballots.map((one) => el("li", {}, ballot(run, one, shown, overview)))),
    );
  }

  function verdict(run, entry, shown, overview) {
    const votes = Object.entries(entry.tally).map(([name, number]) => `${number} ${words.plain(name)}`).join(", ");
    const rows = [
      entry.why ? ["Why", entry.why] : null,
      entry.tally && votes ? ["Votes", `${votes}, by ${entry.rule}`] : null,
      entry.finding && entry.rating !== null ? ["Rating", [words.rating(entry.rating), entry.mean_rating !== null ? ` mean ${entry.mean_rating.toFixed(2)}` : ""]] : null,
      votes ? ["Round 0", entry.initial_finding || "no verdict"] : null,
      entry.dissent.length ? ["Dissent", entry.dissent.map((seat) => safejury.seatTitle(run, seat)).join(", ")] : votes && entry.finding ? ["Dissent", "none"] : null,
      entry.probability !== null ? ["Probability of unsafe", entry.probability.toFixed(2)] : null,
      entry.declined !== null ? ["The response", entry.declined ? "declined to help" : "did not decline"] : null,
      entry.revote_lost ? ["Note", "It rests on an earlier round, because the re-vote was lost."] : null,
      entry.summary_dropped ? ["Note", "The foreperson's summary was left out: it misstated the votes or the verdict."] : null,
      ["Cost", [`${words.many(entry.calls, "call")}`, entry.cost_usd === null ? ", price unknown" : `, ${words.dollars(entry.cost_usd)}`]],
    ].filter(Boolean);
    return el(
      `section.verdict.is-${entry.finding || "no_verdict"}`,
      { "aria-label": "Verdict" },
      el("h3", {}, "Verdict ", words.badge(entry.finding, "large")),
      entry.decision ? el("div", {}, el("p.aside", {}, "The foreperson decides:"), el("p.reason", {}, entry.decision.reason || entry.decision.detail || ""), entry.majority ? el("p.aside", {}, `The majority found it ${entry.majority}.`) : null) : null,
      el("dl", {}, rows.map(([name, said]) => el("div", {}, el("dt", {}, name), el("dd", {}, said)))),
    );
  }
})();
