"use strict";
/** Chooses cases by what the address says, and counts what each further choice would leave. */
(function () {
  const VERDICTS = ["unsafe", "safe", "no_verdict"];

  /** The groups of choices: by which parameter of the address, and of which column. */
  const GROUPS = [
    { name: "outcome", title: "Verdict", column: "verdict", fixed: VERDICTS },
    { name: "contested", title: "Contested in round 0", column: "contested", flag: true },
    { name: "changed", title: "Verdict changed by talk", column: "changed", flag: true },
    { name: "lost", title: "Lost a ballot", column: "lost_ballots", flag: true },
    { name: "misquoted", title: "A juror misquoted it", column: "misquoting", flag: true },
    { name: "intent", title: "Intent", column: "intent" },
    { name: "target", title: "Target", column: "target" },
    { name: "condition", title: "Condition", column: "condition", empty: "as given" },
    { name: "scenario", title: "Scenario", column: "scenario", tree: true },
    { name: "response", title: "Response", column: "response" },
    { name: "media", title: "Picture or sound", column: "media", empty: "none" },
    { name: "over_refusal", title: "Over-refusal", column: "over_refusal", flag: true },
    { name: "run", title: "Run", column: "run", run: true },
  ];

  /** Return the groups that an index has: labels too, and none of a single choice. */
  function groupsOf(index) {
    const labels = Object.keys(index.columns)
      .filter((name) => name.startsWith("labels."))
      .map((name) => ({ name: `label.${name.slice(7)}`, title: name.slice(7), column: name, label: true, empty: "(no label)" }));
    return [...GROUPS, ...labels].filter((group) => index.columns[group.column]).slice(0, 28); // bits of a number
  }

  /** Return what an address asks for: a list of values by group, words, and the order. */
  function parse(query) {
    const given = new URLSearchParams(query);
    const wanted = { text: given.get("text") || "", sort: given.get("sort") || "", page: 1, groups: {} };
    wanted.falling = wanted.sort.startsWith("-");
    wanted.sort = wanted.sort.replace(/^-/, "");
    wanted.page = Math.max(1, Number.parseInt(given.get("page"), 10) || 1);
    for (const [name, value] of given) {
      if (["text", "sort", "page"].includes(name)) continue;
      let [group, choice] = [name, value];
      if (name === "unsafe" && value === "1") [group, choice] = ["outcome", "unsafe"];
      if (name === "verdict") group = "outcome";
      if (name === "outcome" && !VERDICTS.includes(value)) group = "response";
      (wanted.groups[group] ||= []).push(choice);
    }
    return wanted;
  }

  /** Return the address of what is wanted. */
  function write(wanted) {
    const said = new URLSearchParams();
    for (const [group, values] of Object.entries(wanted.groups)) {
      for (const value of values) said.append(group, value);
    }
    if (wanted.text) said.set("text", wanted.text);
    if (wanted.sort) said.set("sort", (wanted.falling ? "-" : "") + wanted.sort);
    if (wanted.page > 1) said.set("page", String(wanted.page));
    const text = said.toString();
    return `#/cases${text ? `?${text}` : ""}`;
  }

  /** Return whether a value is chosen by one of a group's choices. */
  function chosen(group, value, choices) {
    if (group.flag) return Boolean(value);
    const text = value === null || value === undefined ? "" : String(value);
    if (group.tree) return choices.some((each) => text === each || text.startsWith(`${each}.`));
    return choices.includes(text);
  }

  /**
   * Choose cases.
   *
   * Each case has a bit for each group that leaves it out. Without a bit it is shown; with the one
   * bit of a group it counts among what another choice of this group would show.
   * @param {Index} index All cases.
   * @param {object} wanted See `parse`.
   * @param {Uint8Array} [found] Which cases have the words that are looked for.
   */
  function apply(index, wanted, found) {
    const groups = groupsOf(index);
    const misses = new Uint32Array(index.count);
    const TEXT = 1 << 30;
    if (found) for (let place = 0; place < index.count; place++) if (!found[place]) misses[place] |= TEXT;
    groups.forEach((group, at) => {
      const choices = wanted.groups[group.name];
      if (!choices || !choices.length) return;
      const [column, bit] = [index.columns[group.column], 1 << at];
      if (column.codes) {
        const good = column.values.map((value) => chosen(group, value, choices));
        for (let place = 0; place < index.count; place++) {
          const code = column.codes[place];
          if (code < 0 || !good[code]) misses[place] |= bit;
        }
      } else {
        for (let place = 0; place < index.count; place++) {
          if (!chosen(group, column.cells[place] || 0, choices)) misses[place] |= bit;
        }
      }
    });
    const queries = wanted.groups.query;
    if (queries && index.columns.query_id) {
      const column = index.columns.query_id;
      const good = column.values.map((value) => queries.includes(value));
      for (let place = 0; place < index.count; place++) {
        if (!good[column.codes[place]]) misses[place] |= TEXT;
      }
    }
    const order = index.order(wanted.sort, wanted.falling);
    const shown = order.filter((place) => misses[place] === 0);
    const counts = {};
    groups.forEach((group, at) => {
      const [column, bit] = [index.columns[group.column], 1 << at];
      if (column.codes) {
        const found = new Int32Array(column.values.length);
        for (let place = 0; place < index.count; place++) {
          if ((misses[place] & ~bit) === 0 && column.codes[place] >= 0) found[column.codes[place]]++;
        }
        counts[group.name] = column.values.map((value, code) => [value, found[code]]);
      } else {
        const by = new Map();
        for (let place = 0; place < index.count; place++) {
          const cell = group.flag ? column.cells[place] > 0 : column.cells[place];
          if ((misses[place] & ~bit) === 0) by.set(cell, (by.get(cell) || 0) + 1);
          else if (!by.has(cell)) by.set(cell, 0);
        }
        counts[group.name] = [...by];
      }
    });
    return { shown, counts, groups };
  }

  let texts = null;

  /**
   * Find the cases that have all of some words, in question or response, or in their id.
   * @param {function(number, number)} told How many pieces of the texts are read, and of how many.
   */
  async function search(index, overview, words, told) {
    const found = new Uint8Array(index.count);
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    if (!wanted.length) return null;
    const pieces = overview.texts ? Math.ceil(index.count / index.size) : 0;
    if (!texts) texts = [];
    for (let at = 0; at < pieces; at++) {
      if (!texts[at]) {
        told(at, pieces);
        texts[at] = (await safejury.load(`texts-${at}`)).texts;
        safejury.forget((name) => name === `texts-${at}`);
      }
      const start = at * index.size;
      texts[at].forEach((text, place) => {
        if (wanted.every((word) => text.includes(word))) found[start + place] = 1;
      });
    }
    const ids = index.columns.query_id;
    if (!ids) return found; // no case is finished yet
    const named = ids.values.map((id) => wanted.every((word) => String(id).toLowerCase().includes(word)));
    for (let place = 0; place < index.count; place++) if (named[ids.codes[place]]) found[place] = 1;
    return found;
  }

  safejury.filter = { parse, write, apply, search, forget: () => (texts = null) };
})();
