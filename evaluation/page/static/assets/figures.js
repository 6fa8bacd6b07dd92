"use strict";
/**
 * Charts. They come as trees of plain data, made from our own drawings, and are built element by
 * element: only the names below pass, no handler and no address but one within the drawing. So
 * nothing in a chart can run or load anything, whatever a model is called.
 */
(function () {
  const { el } = safejury;
  const SVG = "http://www.w3.org/2000/svg";
  const ELEMENTS = new Set("svg g path rect circle line polyline polygon text tspan defs clipPath pattern use title desc".split(" "));
  const ATTRIBUTE = /^(id|class|role|d|x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|dx|dy|width|height|viewBox|points|transform|clip-path|clip-rule|patternUnits|version|preserveAspectRatio|(fill|stroke|font|text|letter|word|paint|dominant|alignment)(-[a-z]+)*|opacity|aria-[a-z]+|xml:space)$/;

  /** Build an element of a chart from `[name, attributes, ...children]`. */
  function build(tree) {
    if (typeof tree === "string") return document.createTextNode(tree);
    const [name, attributes, ...children] = tree;
    if (!ELEMENTS.has(name)) return document.createTextNode("");
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "href") {
        if (/^#[\w-]+$/.test(value)) element.setAttribute("href", value);
      } else if (ATTRIBUTE.test(key) && !/url\((?!#)/.test(value)) {
        element.setAttribute(key, value);
      }
    }
    children.forEach((child) => element.append(build(child)));
    return element;
  }

  /** Return a place for some charts, which fills as soon as they are read; null where there are none. */
  safejury.charts = function (overview, ...names) {
    if (!overview.figures.some((each) => names.includes(each.name))) return null;
    const place = el("div.charts");
    safejury.load("figures").then((found) => {
      const mine = names.map((name) => found.figures.find((each) => each.name === name)).filter(Boolean);
      place.replaceChildren(...mine.map(chart));
    }, () => place.remove());
    return place;
  };

  /** Return the charts that no other part of the page names. */
  safejury.otherCharts = function (overview, ...placed) {
    return overview.figures.map((each) => each.name).filter((name) => !placed.includes(name));
  };

  function linksOf(figure) {
    return ["svg", "png", "csv"].map((kind) =>
      el("a.download", { href: `figures/${figure.name}.${kind}`, download: `${figure.name}.${kind}`, "aria-label": `${figure.title} as ${kind.toUpperCase()}` }, kind.toUpperCase()),
    );
  }

  /** Return links to the charts that hold the numbers of a table. */
  safejury.downloads = function (overview, ...names) {
    const found = overview.figures.filter((each) => names.includes(each.name));
    if (!found.length) return null;
    return el("p.downloads", {}, found.map((figure) => el("span", {}, `${figure.title}: `, linksOf(figure).map((link) => [link, " "]))));
  };

  /** Let a chart be no larger than its words are easily read. */
  function sized(drawing, inches) {
    drawing.style.setProperty("max-width", `${Math.round(102 * inches)}px`);
    return drawing;
  }

  function chart(figure) {
    return el(
      `figure.chart${figure.wide ? ".wide" : ""}`,
      {},
      el("h3", {}, figure.title),
      el("div.drawing", { tabindex: "0", role: "region", "aria-label": figure.title }, sized(build(figure.tree), figure.width)),
      el("figcaption", {}, figure.caption, " ", el("span.downloads", {}, linksOf(figure))),
    );
  }
})();
