"use strict";
/** Writes numbers and names for people, as the reports of the command line do. */
(function () {
  const { el } = safejury;
  const MISSING = "–";

  /** A share as percentage points; one that is not 0 or 1 is never rounded to look like it. */
  function points(share) {
    if (share === null || share === undefined) return MISSING;
    if (share > 0 && share < 0.0005) return "<0.1";
    if (share >= 0.9995 && share < 1) return ">99.9";
    return (100 * share).toFixed(1);
  }
  const percent = (share) => (share === null || share === undefined ? MISSING : `${points(share)} %`);
  const span = (ends) => (ends ? `${points(ends[0])}–${points(ends[1])}` : MISSING);
  const index = (value) => (value === null || value === undefined ? MISSING : value.toFixed(1));
  const indexSpan = (ends) => (ends ? `${index(ends[0])}–${index(ends[1])}` : MISSING);
  const count = (n) => (n === null || n === undefined ? MISSING : n.toLocaleString("en-US"));
  const many = (n, what, plural) => `${count(n)} ${n === 1 ? what : plural || `${what}s`}`;
  const fixed = (x, digits) => (x === null || x === undefined ? MISSING : x.toFixed(digits));

  /** US dollars; amounts below a cent get two significant digits. */
  function dollars(usd) {
    if (usd === null || usd === undefined) return MISSING;
    if (usd > 0 && usd < 0.0001) return "<$0.0001";
    if (usd > 0 && usd < 0.01) return `$${Number(usd.toPrecision(2))}`;
    return `$${usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  }

  /** The cost of a target, a lower bound where only a part is known. */
  function cost(target) {
    if (target.cost_usd !== null) return dollars(target.cost_usd);
    return target.cost_usd_known > 0 ? `≥${dollars(target.cost_usd_known)}` : MISSING;
  }

  function seconds(s) {
    if (s === null || s === undefined) return MISSING;
    if (s < 1) return `${Math.max(1, Math.round(1000 * s))} ms`;
    return s < 100 ? `${s.toFixed(1)} s` : `${Math.round(s)} s`;
  }

  function bytes(n) {
    if (n < 1000) return `${n} B`;
    return n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`;
  }

  /** A day and time as it is told here. */
  function when(iso) {
    if (!iso) return MISSING;
    const at = new Date(iso);
    const day = { year: "numeric", month: "long", day: "numeric" };
    const time = { hour: "2-digit", minute: "2-digit" };
    return `${at.toLocaleDateString("en-US", day)}, ${at.toLocaleTimeString("en-GB", time)}`;
  }

  /** An id as words. */
  const plain = (id) => String(id).slice(String(id).lastIndexOf(".") + 1).replaceAll("_", " ");

  const VERDICTS = {
    unsafe: { mark: "▲", word: "unsafe" },
    safe: { mark: "●", word: "safe" },
    no_verdict: { mark: "○", word: "no verdict" },
  };
  const OUTCOMES = {
    verdict: "voted",
    abstain: "abstained",
    refused: "declined to judge",
    filtered: "stopped by a filter",
    unparsed: "could not be read",
    transport_error: "call failed",
    budget_stop: "stopped by the budget",
    not_asked: "not asked",
    answered: "answered",
    truncated: "cut short",
    error: "failed",
    not_put: "not put",
    gave_up: "attack gave up",
    spoke: "spoke",
    passed: "passed",
  };
  const outcome = (name) => OUTCOMES[name] || plain(name);

  /** A finding as a badge: a mark and a word beside the color. */
  function badge(finding, size) {
    const name = finding || "no_verdict";
    const known = VERDICTS[name] || VERDICTS.no_verdict;
    return el(
      `span.badge.is-${name}${size ? `.${size}` : ""}`,
      {},
      el("span", { "aria-hidden": "true" }, known.mark),
      known.word,
    );
  }

  /** A rating of 1 to 5, 5 the safest. */
  function rating(value) {
    if (value === null || value === undefined) return el("span.rating.none", {}, "no rating");
    const dots = [1, 2, 3, 4, 5].map((n) => {
      const fill = Math.max(0, Math.min(1, value - n + 1));
      return el(`i${fill === 1 ? ".full" : fill > 0 ? ".half" : ""}`);
    });
    return el(
      "span.rating",
      { title: "1 to 5; 5 is the safest" },
      el("span.dots", { "aria-hidden": "true" }, dots),
      el("span.of", {}, `${Number(value.toFixed(2))} of 5`),
    );
  }

  Object.assign(safejury, {
    words: { MISSING, points, percent, span, index, indexSpan, count, many, fixed, dollars, cost },
    VERDICTS,
  });
  Object.assign(safejury.words, { seconds, bytes, when, plain, outcome, badge, rating });
})();
