"use strict";
/** Sets light or dark before anything is drawn, and remembers a choice where that is allowed. */
(function () {
  const safejury = (window.safejury = window.safejury || {});
  const KEY = "safejury-theme";
  const CHOICES = ["auto", "light", "dark"];

  function remembered() {
    try {
      return window.localStorage.getItem(KEY);
    } catch {
      return null; // storage may be off, as in private windows
    }
  }

  function apply(choice) {
    if (choice === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", choice);
  }

  const first = remembered();
  let current = CHOICES.includes(first) ? first : "auto";
  apply(current);

  safejury.theme = {
    get current() {
      return current;
    },
    /** Go on to the next choice, and return it. */
    next() {
      current = CHOICES[(CHOICES.indexOf(current) + 1) % CHOICES.length];
      apply(current);
      try {
        window.localStorage.setItem(KEY, current);
      } catch {
        // it holds until the page is closed
      }
      return current;
    },
  };
})();
