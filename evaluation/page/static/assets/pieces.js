"use strict";
/**
 * Loads the pieces of the page. A page from disk cannot fetch, so each piece is a script of one
 * call, `safejury.piece(name, data)`. No other script is ever loaded: names are checked here, and
 * where the browser has trusted types this is the one place that may name a script.
 */
const safejury = (window.safejury = window.safejury || {});

(function () {
  const NAME = /^(overview|figures|revision|(index|texts|cases)-\d{1,9})$/;
  const loaded = new Map();
  const waiting = new Map();
  const policy = window.trustedTypes
    ? window.trustedTypes.createPolicy("safejury", { createScriptURL: addressOf })
    : { createScriptURL: addressOf };

  /** Return the address of a piece; `fresh` gets past what a browser has kept. */
  function addressOf(name) {
    const [piece, fresh] = String(name).split("?");
    if (!NAME.test(piece) || !/^\d*$/.test(fresh || "")) throw new TypeError("no such piece");
    return `data/${piece}.js${fresh ? `?${fresh}` : ""}`;
  }

  /** Take a piece: what its script calls. */
  safejury.piece = function (name, data) {
    loaded.set(name, data);
  };

  /**
   * Return a promise of a piece.
   * @param {string} name Such as `cases-3`.
   * @param {number} [fresh] Read it again, not from what was kept; the number makes the address new.
   */
  safejury.load = function (name, fresh) {
    if (fresh === undefined && loaded.has(name)) return Promise.resolve(loaded.get(name));
    if (waiting.has(name)) return waiting.get(name);
    const promise = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = policy.createScriptURL(fresh === undefined ? name : `${name}?${fresh}`);
      script.onload = () => {
        script.remove();
        waiting.delete(name);
        if (loaded.has(name)) resolve(loaded.get(name));
        else reject(new Error(`${name} is damaged`));
      };
      script.onerror = () => {
        script.remove();
        waiting.delete(name);
        reject(new Error(`${name} is not in this page`));
      };
      document.head.append(script);
    });
    waiting.set(name, promise);
    return promise;
  };

  /** Forget pieces, so that they are read again; those of cases take most memory. */
  safejury.forget = function (test) {
    for (const name of [...loaded.keys()]) if (test(name)) loaded.delete(name);
  };
})();
