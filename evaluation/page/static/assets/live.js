"use strict";
/**
 * Keeps a page that `safejury view` serves up to date with its runs, and says what they are doing.
 * It asks now and then, so that it goes on after a sleep and after the server was away.
 */
(function () {
  const { el, words } = safejury;
  const EVERY_MS = 2000;
  const HIDDEN_MS = 20000;
  const line = el("p", { id: "live", role: "status", hidden: true });
  let names = [];
  let shown = 0;
  let timer = 0;
  let went = false;

  async function look() {
    clearTimeout(timer);
    try {
      const seen = await safejury.load("revision", Date.now());
      if (seen.revision > shown) {
        shown = seen.revision;
        await safejury.refresh(seen.revision);
      }
      tell(seen);
    } catch {
      say("lost", "No connection: safejury view has ended, or cannot be reached. This is what was read before.");
    }
    timer = setTimeout(look, document.hidden ? HIDDEN_MS : EVERY_MS);
  }

  function tell(seen) {
    const phases = seen.runs.map((run) => run.phase);
    went ||= phases.includes("running") || phases.includes("stopped");
    const worst = ["gone", "stopped", "running"].find((phase) => phases.includes(phase)) || "finished";
    if (seen.problem) return say("lost", `Not up to date: ${seen.problem}`);
    if (!went && worst === "finished") return say("", "");
    say(worst, seen.runs.map((run, at) => (seen.runs.length > 1 ? `${names[at]}: ` : "") + told(run)).join(" "));
  }

  function told({ phase, finished, planned }) {
    const cases = `${words.count(finished)} of ${words.many(planned, "case")} judged`;
    if (phase === "running") return `Running, ${cases}.`;
    if (phase === "finished") return `Finished, all ${words.many(planned, "case")} judged.`;
    if (phase === "stopped") return `Not running, ${cases}. Repeat the command of the run to go on.`;
    return "The record was removed. This is what was read before.";
  }

  function say(phase, text) {
    line.hidden = !text;
    line.className = phase;
    if (line.textContent !== text) line.textContent = text;
  }

  safejury.load("overview").then((overview) => {
    if (overview.revision === undefined) return; // from disk
    shown = overview.revision;
    names = overview.runs.map((run) => run.name);
    document.getElementById("top").after(line);
    document.addEventListener("visibilitychange", () => document.hidden || look());
    look();
  }, () => {});
})();
