"use strict";
/**
 * What may hurt is hidden until somebody asks for it: a case, or all of them until the page is
 * closed or loaded again. Nothing of it is remembered.
 */
(function () {
  const { el, words } = safejury;
  const revealed = new Set();
  let all = false;

  safejury.reveal = {
    get all() {
      return all;
    },
    toggleAll() {
      all = !all;
      if (!all) revealed.clear();
    },
    is: (id) => all || revealed.has(id),
    toggle(id) {
      if (revealed.has(id)) revealed.delete(id);
      else revealed.add(id);
    },
  };

  /** Return the number of characters of pieces of a text. */
  function length(pieces) {
    return pieces.reduce((sum, piece) => sum + (typeof piece === "string" ? piece : piece[0]).length, 0);
  }

  /** Words of a case with what ballots quote of them marked, or how many they are. */
  safejury.said = function (run, pieces, shown) {
    if (!pieces || !pieces.length) return el("p.words.none", {}, "(no words)");
    if (!shown) return el("p.withheld", {}, `withheld, ${words.many(length(pieces), "character")}`);
    return el(
      "div.words",
      {},
      pieces.map((piece) => {
        if (typeof piece === "string") return piece;
        const [text, seats] = piece;
        const names = seats.map((seat) => safejury.seatTitle(run, seat)).join(", ");
        return el("mark", { title: `quoted by ${names}` }, text, el("span.by", {}, el("span.hidden", {}, ` (quoted by ${names}) `), seats.map((seat) => safejury.seat(run, seat))));
      }),
    );
  };

  /** A picture, blurred until it is revealed, or a sound. */
  safejury.medium = function (medium, shown) {
    const about = `${medium.kind === "image" ? "picture" : medium.kind === "audio" ? "sound" : medium.kind}, ${words.bytes(medium.size)}`;
    if (!medium.name) return el("p.gone", {}, `A ${about} is not shown: ${medium.why}.`);
    const source = `media/${medium.name}`;
    const hash = el("code", { title: medium.sha256 }, medium.sha256.slice(0, 8));
    if (medium.kind === "audio") {
      const inner = shown ? el("audio", { controls: true, preload: "none", src: source }) : el("p.withheld", {}, `withheld, ${about}`);
      return el("figure.medium", {}, inner, el("figcaption", {}, `${about}, ${medium.type} `, hash));
    }
    const picture = shown
      ? el("img", { src: source, alt: "The picture of the query", loading: "lazy", decoding: "async" })
      : el("span.blurred", {}, el("img", { src: source, alt: "A picture, blurred until it is revealed", loading: "lazy", decoding: "async" }), el("span.over", { "aria-hidden": "true" }, "blurred"));
    return el("figure.medium", {}, picture, el("figcaption", {}, `${about}, ${medium.type} `, hash));
  };
})();
