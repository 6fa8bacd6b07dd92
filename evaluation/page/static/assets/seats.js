"use strict";
/** The jury's seats: a letter and a color each, the same in all views. */
(function () {
  const { el } = safejury;
  const letters = new WeakMap();

  /** Return what stands for each seat: its first letter, numbered where two have the same. */
  function lettersOf(run) {
    if (!letters.has(run)) {
      const times = {};
      const found = {};
      run.seats.forEach((seat, at) => {
        const letter = (seat.title || seat.seat).slice(0, 1).toUpperCase();
        times[letter] = (times[letter] || 0) + 1;
        found[seat.seat] = { letter: times[letter] > 1 ? `${letter}${times[letter]}` : letter, color: (at % 8) + 1 };
      });
      letters.set(run, found);
    }
    return letters.get(run);
  }

  /** The mark of a seat. */
  safejury.seat = function (run, name) {
    const known = lettersOf(run)[name] || { letter: "?", color: 8 };
    return el(`span.seat.c${known.color}`, { title: safejury.seatTitle(run, name), "aria-hidden": "true" }, known.letter);
  };

  /** What people would call a juror. */
  safejury.seatTitle = function (run, name) {
    const seat = run.seats.find((each) => each.seat === name);
    return seat ? seat.title : name;
  };

  safejury.seatInfo = (run, name) => run.seats.find((each) => each.seat === name) || null;
})();
