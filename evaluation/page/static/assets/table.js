"use strict";
/** Tables that are sorted by a click on a heading, or by its key. */
(function () {
  const { el } = safejury;
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  /** By which column each table was last sorted, so that it stays so when it is drawn anew. */
  const sorted = new Map();

  /** Compare two values; what is missing comes last, whatever the direction. */
  function compare(a, b, falling) {
    const none = (x) => x === null || x === undefined || Number.isNaN(x);
    if (none(a) || none(b)) return Number(none(a)) - Number(none(b));
    const order = typeof a === "string" ? collator.compare(a, b) : a - b;
    return falling ? -order : order;
  }

  /**
   * Return a table.
   * @param {object} options
   *   name: what it is, for screen readers;
   *   columns: `{ key, label, hint, value(row), cell(row), kind, falling }`, where `kind` is
   *   `num`, `text` or `head`, and `falling` says that the first click shows the largest first;
   *   rows; sort: the key that it is sorted by; falling; classes; plain: whether it is not sortable.
   */
  safejury.table = function (options) {
    const { columns, rows } = options;
    let { key, falling } = sorted.get(options.name) || { key: options.sort || null, falling: Boolean(options.falling) };
    const body = el("tbody");
    const heads = columns.map((column) => {
      const label = el("span", {}, column.label, column.scale ? el("small.scale", {}, `drawn ${column.scale}`) : null);
      const inner =
        options.plain || !column.value
          ? label
          : el(
              "button.sort",
              { type: "button", title: column.hint || null, onclick: () => sortBy(column) },
              label,
              el("span.arrow", { "aria-hidden": "true" }),
            );
      return el(`th.${column.kind || "text"}`, { scope: "col", title: options.plain ? column.hint : null }, inner);
    });
    const sizes = options.classes ? `.${options.classes.join(".")}` : "";
    const table = el(
      `table${sizes}`,
      {},
      el("caption.hidden", {}, options.name),
      el("thead", {}, el("tr", {}, heads)),
      body,
    );

    function sortBy(column) {
      falling = key === column.key ? !falling : Boolean(column.falling);
      key = column.key;
      sorted.set(options.name, { key, falling });
      fill();
    }

    function fill() {
      const by = columns.find((column) => column.key === key);
      const shown = by ? [...rows].sort((a, b) => compare(by.value(a), by.value(b), falling)) : rows;
      heads.forEach((head, at) => {
        const chosen = columns[at].key === key && by;
        if (chosen) head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
      body.replaceChildren(
        ...shown.map((row) =>
          el(
            "tr",
            {},
            columns.map((column) =>
              el(
                `${column.kind === "head" ? "th" : "td"}.${column.kind || "text"}`,
                { scope: column.kind === "head" ? "row" : null, "data-label": column.label },
                column.cell ? column.cell(row) : column.value(row),
              ),
            ),
          ),
        ),
      );
    }

    fill();
    return el("div.scroll", { tabindex: "0", role: "region", "aria-label": `Table: ${options.name}` }, table);
  };

  /**
   * Return the scale on which rates of a column are drawn: one for all rows, no wider than needed.
   * @param {Array} rates `[value, interval]` of each row.
   * @param {boolean} [index] Whether they are safety indices, of 20 to 100.
   */
  safejury.scale = function (rates, index) {
    const all = rates.flatMap(([value, interval]) => [value, ...(interval || [])]).filter((x) => x !== null && x !== undefined);
    if (index) return { from: [80, 60, 40, 20].find((from) => all.every((x) => x >= from)) ?? 20, to: 100 };
    return { from: 0, to: [0.05, 0.1, 0.25, 0.5].find((to) => all.every((x) => x <= to)) ?? 1 };
  };

  /** Return a column of rates with their intervals, drawn on one scale that its heading tells. */
  safejury.rateColumn = function (column, rows, of) {
    const { index, title } = column;
    const scale = safejury.scale(rows.map((row) => [of(row).value, of(row).interval]), index);
    const { words } = safejury;
    const formats = index ? { format: words.index, between: words.indexSpan } : {};
    const times = index ? 1 : 100;
    return {
      kind: "rated",
      ...column,
      scale: `${times * scale.from}–${times * scale.to}`,
      value: (row) => of(row).value ?? null,
      cell: (row) => safejury.rate(of(row).value, of(row).interval, { ...scale, ...formats, title: title ? title(row) : null }),
    };
  };

  /** Return a rate with its interval drawn: a number, the ends in words, and a line on a scale. */
  safejury.rate = function (value, interval, options = {}) {
    const { from = 0, to = 1, format = safejury.words.points, between = safejury.words.span } = options;
    if (value === null || value === undefined) return safejury.words.MISSING;
    const place = (x) => `${(100 * (Math.min(Math.max(x, from), to) - from)) / (to - from)}%`;
    const line = el("span.track", { "aria-hidden": "true" });
    if (interval) {
      const [low, high] = interval.map(place);
      line.append(el("span.band", { style: { "--low": low, "--high": high } }));
    }
    line.append(el("span.dot", { style: { "--at": place(value) } }));
    return el(
      "span.rate",
      { title: options.title || null },
      el("span.value", {}, format(value)),
      interval ? el("span.ends", {}, between(interval)) : null,
      line,
    );
  };

  safejury.collator = collator;
})();
