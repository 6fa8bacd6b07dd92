"use strict";
/** Shows what the address asks for. */
(function () {
  const { el } = safejury;
  async function show() {
    const main = document.getElementById("main");
    const overview = await safejury.load("overview");
    const list = el("ul", {}, overview.targets.map((t) => el("li", {}, `${t.name}: ASR ${t.asr.micro}`)));
    main.replaceChildren(el("h1", {}, "safejury"), el("p", {}, `${overview.count} cases`), list);
  }
  window.addEventListener("hashchange", show);
  show();
})();
