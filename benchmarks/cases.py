"""Measure `safejury cases`: `python benchmarks/cases.py [--quick]`.

A record of 200,000 cases is written, as `replay.py` does it, and listed in each way by a command in
a process of its own: start of Python and check of the record included. Memory is the largest that
the process held; a tenth of the cases is listed beside it to see what grows.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from replay import took, write

CASES = 200_000
LISTS = {
    "cases as CSV": ("--out", "{}/cases.csv"),
    "cases as Parquet": ("--out", "{}/cases.parquet"),
    "cases found unsafe, as JSONL": ("--unsafe", "--out", "{}/cases.jsonl"),
    "cases by words that none has": ("--text", "nowhere to be found"),
    "ballots as CSV": ("--ballots", "--out", "{}/ballots.csv"),
    "the first 50 as a table": ("--limit", "50"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    many = CASES // 10 if parser.parse_args().quick else CASES
    print(f"| {many:,} cases | CPU | by the clock | memory, all / a tenth of them |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        runs = [Path(name) / str(cases) for cases in (many // 10, many)]
        for run, cases in zip(runs, (many // 10, many), strict=True):
            asyncio.run(write(run, cases))
        show("check alone (verify reads media too)", "verify", runs, ())
        for what, options in LISTS.items():
            show(what, "cases", runs, tuple(option.format(name) for option in options))


def show(what: str, command: str, runs: list[Path], options: tuple[str, ...]) -> None:
    """Print a row of the table."""
    (_, _, few), (seconds, clock, megabytes) = (took(command, run, options) for run in runs)
    memory = f"{megabytes:.0f} / {few:.0f} MB"
    print(f"| {what} | {seconds:.1f} s | {clock:.1f} s | {memory} |", flush=True)


if __name__ == "__main__":
    main()
