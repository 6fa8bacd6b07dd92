"""Measure jury cards on recorded verdicts: `python -P benchmarks/trust.py [--quick]`.

Prints one table: of four juries, the F1 and kappa of each juror and rule, paired differences to
the best juror and to the majority with their 95 % intervals, and the share of calls. What is
fitted is scored on other queries, mean of 10 divisions into folds. Then the time that a card of
10 jurors and 5,000 cases takes, and the grid of corrected rates (`trust_grid.py`).
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from safejury.deliberation.protocol.card import CardJury, CardSeat, Figure, JuryCard
from safejury.evaluation.trust import Labels, VoteTable, make_card

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "evaluation"))
from jury_votes import planted, recorded, vote_table

GRID = Path(__file__).with_name("trust_grid.py")
OMNI, BEST = "omni-moderation-latest", "gemini-1.5-pro"
SETS: tuple[tuple[str, str, tuple[str, ...], float, float], ...] = (
    ("MSTS, 7 jurors", "msts", (OMNI,), 0.635, 0.30),
    (f"MSTS, with {OMNI}", "msts", (), 0.625, 0.30),
    ("MSTS, 6, without the best", "msts", (OMNI, BEST), 0.525, 0.55),
    ("XSTest, 3 jurors", "xstest", (), 0.88, 0.53),
)
"""Name, file, jurors left out, and the goals: F1 of `calibrated` and calls of `sequential`."""
COLUMNS = "| {:<32} | {:<24} | {:>6} | {:>6} | {:<24} | {:<24} |"


def main() -> None:
    """Print the table, the time, and the grid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: a smoke test")
    quick = parser.parse_args().quick
    settings = {"repeats": 2, "resamples": 100} if quick else {}
    for name, file, without, least, most in SETS:
        votes, labels = recorded(file, without=without)
        card = card_of(votes, labels, **settings)
        print_table(name, card)
        print_goals(card, least, most)
    measure_time(quick=quick)
    draws = ("--draws", "20") if quick else ()
    grid = [sys.executable, "-P", str(GRID), *draws]
    print(flush=True)
    subprocess.run(grid, check=True)


def card_of(
    votes: VoteTable, labels: Labels, *, repeats: int = 10, resamples: int = 1000
) -> JuryCard:
    """Make a card."""
    seats = tuple(CardSeat(name) for name in votes.jurors)
    jury = CardJury(sha256="", source="ballots", seats=seats)
    return make_card(votes, labels, jury=jury, repeats=repeats, resamples=resamples)


def print_table(name: str, card: JuryCard) -> None:
    """Print what a card says of jurors and rules."""
    used = card.labels
    print(f"\n{name}: {used.cases} cases, {used.unsafe} unsafe, {used.groups} queries")
    print(COLUMNS.format("", "F1", "kappa", "calls", "F1 - best juror", "F1 - majority"))
    for juror, scores in card.jurors.items():
        each = f"{1 / len(card.jurors):.1%}"
        print(COLUMNS.format(juror[:32], said(scores.f1), plain(scores.kappa), each, "", ""))
    for rule, scores in card.rules.items():
        calls = f"{1 / len(card.jurors):.1%}" if rule == "best_juror" else "100%"
        best, majority = (of["f1"] for of in (scores.minus_best_juror, scores.minus_majority))
        row = (rule, said(scores.f1), plain(scores.kappa), calls, said(best), said(majority))
        print(COLUMNS.format(*row))
    if card.sequential is not None:
        of = card.sequential
        calls = f"{of.calls.value or 0:.1%}"
        less = f"{said(of.minus_all['f1'])} to all"
        changed = f"changed {of.changed.value or 0:.2%}"
        row = (f"calibrated, stop: sequential {of.bound:g}", said(of.f1), "", calls, less, changed)
        print(COLUMNS.format(*row))
    dependence = card.dependence
    print(
        f"effective jurors {said(dependence.effective_jurors)}, alpha {said(dependence.alpha)}, "
        f"labels for F1: "
        + ", ".join(f"{point.labels}: {plain(point.f1)}" for point in card.learning_curve)
    )


def print_goals(card: JuryCard, least: float, most: float) -> None:
    """Print whether a card reaches what is asked of these rows."""
    assert card.sequential is not None
    f1, calls = card.rules["calibrated"].f1.value or 0, card.sequential.calls.value or 1
    for what, met in (
        (f"calibrated F1 {f1:.3f}, goal {least}", f1 >= least),
        (f"calls {calls:.1%}, goal at most {most:.0%}", calls <= most),
    ):
        print(f"{what}: {'met' if met else 'NOT MET'}")


def measure_time(*, quick: bool) -> None:
    """Print how long a large card takes."""
    n = 500 if quick else 5000
    random = np.random.default_rng(1)
    jurors = [(0.5 + 0.04 * at, 0.98 - 0.02 * at) for at in range(10)]
    votes, truth = planted(random, n, jurors, rate=0.1, none=0.02)
    cpu, wall = time.process_time(), time.perf_counter()
    card_of(vote_table(votes), Labels(truth))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\n10 jurors, {n:,} cases, 1,000 resamples: {wall:.1f} s ({cpu:.1f} s of CPU), "
        f"{memory:.0f} MB; goal under 30 s"
    )


def said(figure: Figure) -> str:
    """Return a figure with its interval."""
    if figure.value is None or figure.interval is None:
        return "-"
    return f"{figure.value:+.3f} ({figure.interval[0]:+.3f}, {figure.interval[1]:+.3f})"


def plain(figure: Figure) -> str:
    """Return a figure."""
    return "-" if figure.value is None else f"{figure.value:.3f}"


if __name__ == "__main__":
    main()
