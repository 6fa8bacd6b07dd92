"use strict";
/** The list of cases: filters with counts, an order, and a page of rows. */
(function () {
  const { el, words } = safejury;
  const A_PAGE = 50;
  const LONG = 12;
  const unfolded = new Set();
  const state = { wanted: null, result: null, found: null, text: "" };

  const SORTS = [
    ["", "Query"],
    ["target", "Target"],
    ["scenario", "Scenario"],
    ["verdict", "Verdict"],
    ["rating", "Rating, least safe first"],
    ["-unsafe_votes", "Votes for unsafe"],
    ["-flips", "Changes of mind"],
    ["-lost_ballots", "Lost ballots"],
    ["-cost_usd", "Cost"],
    ["-latency_s", "Time to respond"],
  ];

  function go(change) {
    const wanted = { ...state.wanted, groups: { ...state.wanted.groups }, ...change };
    window.location.hash = safejury.filter.write(wanted);
  }

  /** Show the list that an address asks for. */
  safejury.cases = async function (main, overview, query) {
    const wanted = safejury.filter.parse(query);
    const index = await safejury.index(overview);
    if (wanted.text !== state.text || (wanted.text && !state.found)) {
      const status = document.getElementById("status");
      const told = (at, of) => status && (status.textContent = `Searching, ${at} of ${of} parts read…`);
      state.found = wanted.text ? await safejury.filter.search(index, overview, wanted.text, told) : null;
      state.text = wanted.text;
      if (safejury.route().query !== query) return; // somebody went on meanwhile
    }
    state.wanted = wanted;
    state.result = safejury.filter.apply(index, wanted, wanted.text ? state.found : null);
    const focused = document.activeElement && document.activeElement.id;
    const same = main.querySelector(".browser");
    const rows = list(overview, index);
    const side = filters(overview, index);
    if (same) {
      same.querySelector(".filters").replaceChildren(...side.childNodes);
      same.querySelector(".results").replaceChildren(...rows.childNodes);
    } else {
      main.replaceChildren(el("div.browser", {}, el("h1", {}, "Cases"), search(overview), el("div.columns", {}, side, rows)));
    }
    const box = document.getElementById("search");
    if (box && document.activeElement !== box && box.value !== wanted.text) box.value = wanted.text;
    if (focused && focused !== "main") document.getElementById(focused)?.focus({ preventScroll: true });
    document.title = `Cases · ${overview.runs.map((run) => run.name).join(", ")} · safejury`;
  };

  function search(overview) {
    let timer = 0;
    const label = overview.texts ? "Words in question or response, or a query's id" : "A query's id";
    const box = el("input", {
      id: "search",
      type: "search",
      placeholder: label,
      "aria-label": label,
      autocomplete: "off",
      spellcheck: "false",
      value: state.wanted.text,
      oninput: () => {
        clearTimeout(timer);
        timer = setTimeout(() => go({ text: box.value.trim(), page: 1 }), 150);
      },
    });
    return el("div.search", { role: "search" }, box, el("kbd", { "aria-hidden": "true" }, "/"));
  }

  // ---- filters --------------------------------------------------------------------------------

  function filters(overview, index) {
    const { result, wanted } = state;
    const groups = result.groups.map((group) => choices(overview, group, result.counts[group.name], wanted)).filter(Boolean);
    const any = Object.values(wanted.groups).some((values) => values.length) || wanted.text;
    const narrow = window.matchMedia("(max-width: 760px)").matches;
    return el(
      "aside.filters",
      { "aria-label": "Filters" },
      any ? el("p", {}, el("a.clear", { id: "clear", href: "#/cases" }, "Clear all filters")) : null,
      narrow ? el("details", { open: unfolded.has("all"), ontoggle: (event) => (event.currentTarget.open ? unfolded.add("all") : unfolded.delete("all")) }, el("summary", {}, "Filters"), groups) : groups,
    );
  }

  function choices(overview, group, counts, wanted) {
    const chosen = wanted.groups[group.name] || [];
    if (group.flag) {
      const number = counts.reduce((sum, [value, n]) => sum + (value ? n : 0), 0);
      const any = counts.some(([value]) => value);
      if (!any && !chosen.length) return null;
      return el("fieldset.flag", {}, el("legend.hidden", {}, group.title), option(group, "1", group.title, number, chosen));
    }
    const options = (group.fixed ? group.fixed.map((value) => counts.find(([known]) => known === value) || [value, 0]) : [...counts])
      .map(([value, number]) => [value === null || value === undefined ? "" : String(value), number]);
    if (!group.fixed) options.sort(([a], [b]) => safejury.collator.compare(a, b));
    if (options.length < 2 && !chosen.length) return null;
    const shown = group.tree ? tree(overview, group, options, chosen) : options.map(([value, number]) => option(group, value, named(overview, group, value), number, chosen));
    const fold = !group.tree && shown.length > LONG && !unfolded.has(group.name);
    const more = fold
      ? el("button.link", { type: "button", id: `more-${group.name}`, onclick: () => { unfolded.add(group.name); safejury.show(); } }, `${words.count(shown.length - LONG)} more`)
      : null;
    return el("fieldset", {}, el("legend", {}, group.title), fold ? shown.slice(0, LONG) : shown, more);
  }

  /** Return scenarios below their categories. */
  function tree(overview, group, options, chosen) {
    const by = new Map();
    for (const [value, number] of options) {
      const category = value.split(".")[0];
      if (!by.has(category)) by.set(category, []);
      by.get(category).push([value, number]);
    }
    return [...by].map(([category, inner]) => {
      const total = inner.reduce((sum, [, number]) => sum + number, 0);
      const open = chosen.some((each) => each.startsWith(`${category}.`)) || unfolded.has(category);
      const toggled = (event) => (event.currentTarget.open ? unfolded.add(category) : unfolded.delete(category));
      const head = option(group, category, safejury.titleOf(overview, category), total, chosen);
      if (inner.length === 1 && inner[0][0] === category) return head;
      return el(
        "div.branch",
        {},
        head,
        el("details", { open, ontoggle: toggled }, el("summary", { "aria-label": `Scenarios of ${safejury.titleOf(overview, category)}` }, `${inner.length}`), inner.map(([value, number]) => option(group, value, safejury.titleOf(overview, value), number, chosen))),
      );
    });
  }

  function option(group, value, label, number, chosen) {
    const on = chosen.includes(value);
    const id = `f-${group.name}-${value}`;
    return el(
      `label.option${number || on ? "" : ".none"}`,
      {},
      el("input", {
        type: "checkbox",
        id,
        checked: on,
        onchange: () => {
          const left = on ? chosen.filter((each) => each !== value) : [...chosen, value];
          go({ groups: { ...state.wanted.groups, [group.name]: left }, page: 1 });
        },
      }),
      el("span.name", {}, label),
      " ", // or the two would be read as one word
      el("span.number", {}, words.count(number)),
    );
  }

  function named(overview, group, value) {
    if (value === "" && group.empty) return group.empty;
    if (group.name === "outcome") return safejury.VERDICTS[value]?.word || value;
    if (group.name === "response") return words.outcome(value);
    if (group.run) return overview.runs[Number(value)]?.name || value;
    return value;
  }

  // ---- rows -----------------------------------------------------------------------------------

  function list(overview, index) {
    const { result, wanted } = state;
    const total = result.shown.length;
    const pages = Math.max(1, Math.ceil(total / A_PAGE));
    const page = Math.min(wanted.page, pages);
    const rows = [...result.shown.slice((page - 1) * A_PAGE, page * A_PAGE)];
    const of = total === index.count ? words.many(total, "case") : `${words.count(total)} of ${words.many(index.count, "case")}`;
    const order = el(
      "select",
      { id: "order", "aria-label": "Order", onchange: (event) => {
        const by = event.currentTarget.value;
        go({ sort: by.replace("-", ""), falling: by.startsWith("-"), page: 1 });
      } },
      SORTS.map(([key, label]) => el("option", { value: key, selected: key === (wanted.falling ? "-" : "") + wanted.sort }, label)),
    );
    return el(
      "div.results",
      {},
      el("div.bar", {}, el("p", { id: "status", role: "status" }, of), el("label.order", {}, "Order ", order)),
      total ? table(overview, index, rows) : el("p.empty", {}, index.count ? ["No case is left by these filters. ", el("a", { href: "#/cases" }, "Show all")] : "No case is finished yet."),
      pages > 1 ? turn(page, pages) : null,
    );
  }

  function turn(page, pages) {
    const to = (number, label) =>
      number < 1 || number > pages ? el("span.off", {}, label) : el("a", { href: safejury.filter.write({ ...state.wanted, page: number }), rel: number < page ? "prev" : "next" }, label);
    return el("nav.turn", { "aria-label": "Pages" }, to(page - 1, "Previous"), el("span", {}, `Page ${words.count(page)} of ${words.count(pages)}`), to(page + 1, "Next"));
  }

  /** Return the address of a case, which keeps the filter that led to it. */
  function addressOf(overview, index, place, wanted) {
    const said = safejury.filter.write({ ...wanted, page: 1 }).split("?")[1];
    const run = overview.runs.length > 1 ? `in=${index.at("run", place)}` : "";
    const query = [run, said].filter(Boolean).join("&");
    return `#/case/${encodeURIComponent(index.id(place)).replaceAll("%2F", "/")}${query ? `?${query}` : ""}`;
  }

  const COLUMNS = [
    ["verdict", "Verdict"],
    ["query_id", "Query"],
    ["target", "Target"],
    ["scenario", "Scenario"],
    ["rating", "Rating"],
    ["unsafe_votes", "Votes"],
  ];

  function table(overview, index, rows) {
    const { wanted } = state;
    const heads = COLUMNS.map(([key, label]) => {
      const chosen = wanted.sort === key || (key === "query_id" && !wanted.sort);
      const falling = chosen && wanted.falling;
      const next = { ...wanted, sort: key === "query_id" && falling ? "" : key, falling: chosen && !falling, page: 1 };
      return el(
        `th.c-${key}`,
        { scope: "col", "aria-sort": chosen ? (falling ? "descending" : "ascending") : null },
        el("a.sort", { id: `s-${key}`, href: safejury.filter.write(next) }, label, el("span.arrow", { "aria-hidden": "true" })),
      );
    });
    return el(
      "table.list",
      {},
      el("caption.hidden", {}, "Cases"),
      el("thead", {}, el("tr", {}, heads, el("th", { scope: "col" }, el("span.hidden", {}, "Marks")))),
      el("tbody", {}, rows.map((place) => row(overview, index, place))),
    );
  }

  function row(overview, index, place) {
    const at = (name) => index.at(name, place);
    const condition = at("condition");
    const marks = [
      at("intent") === "benign" ? el("span.tag", {}, "benign") : null,
      at("contested") ? el("span.tag", {}, "contested") : null,
      at("changed") ? el("span.tag.strong", {}, "changed") : null,
      at("response") === "answered" ? null : el("span.tag.warn", {}, words.outcome(at("response"))),
      at("lost_ballots") ? el("span.tag.warn", {}, "lost ballot") : null,
      at("media") ? el("span.tag", {}, at("media").replace("image", "picture").replace("audio", "sound")) : null,
    ];
    const address = addressOf(overview, index, place, state.wanted);
    return el(
      "tr",
      { "data-place": place, onclick: (event) => { if (!event.target.closest("a") && !window.getSelection().toString()) window.location.hash = address; } },
      el("td.c-verdict", {}, words.badge(at("verdict"))),
      el("th.c-query_id", { scope: "row" }, el("a.open", { href: address }, at("query_id"), at("epoch") ? ` #${at("epoch")}` : "")),
      el("td.c-target", {}, at("target"), condition ? el("span.tag", {}, condition) : null),
      el("td.c-scenario", {}, safejury.titleOf(overview, at("scenario"))),
      el("td.c-rating", {}, at("rating") === null ? words.MISSING : words.rating(at("rating"))),
      el("td.c-unsafe_votes", {}, votes(index, place)),
      el("td.c-marks", {}, marks),
    );
  }

  function votes(index, place) {
    const [unsafe, safe, none] = ["unsafe_votes", "safe_votes", "no_vote"].map((name) => index.at(name, place) || 0);
    if (!unsafe && !safe && !none) return words.MISSING;
    const said = `${unsafe} unsafe, ${safe} safe${none ? `, ${none} without a vote` : ""}`;
    const squares = [["u", unsafe], ["s", safe], ["n", none]].flatMap(([kind, number]) => Array.from({ length: Math.min(number, 12) }, () => el(`i.${kind}`)));
    return el("span.votes", { title: said }, el("span", { "aria-hidden": "true" }, squares), el("span.hidden", {}, said));
  }

  /** Return the cases beside one, within the filter of an address. */
  safejury.beside = async function (overview, query, place) {
    const index = await safejury.index(overview);
    const wanted = safejury.filter.parse(query);
    delete wanted.groups.in;
    const found = wanted.text ? (wanted.text === state.text && state.found) || (await safejury.filter.search(index, overview, wanted.text, () => {})) : null;
    const { shown } = safejury.filter.apply(index, wanted, found);
    const at = shown.indexOf(place);
    const page = Math.floor(Math.max(at, 0) / A_PAGE) + 1;
    const address = (other) => (at < 0 || other < 0 || other >= shown.length ? null : addressOf(overview, index, shown[other], wanted));
    return { at, of: shown.length, before: address(at - 1), after: address(at + 1), list: safejury.filter.write({ ...wanted, page }) };
  };

  /** Move the mark among the rows of the list, and bring it into view. */
  safejury.moveInList = function (step) {
    const links = [...document.querySelectorAll("table.list a.open")];
    if (!links.length) return;
    const now = links.indexOf(document.activeElement);
    const next = links[Math.min(Math.max(now + step, 0), links.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  safejury.forgetFound = () => {
    state.found = null;
    state.text = "";
  };
})();
