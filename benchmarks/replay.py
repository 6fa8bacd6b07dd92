"""Measure `safejury replay`: `python benchmarks/replay.py [--quick]`.

A record of 100,000 cases is written: five jurors with reasons of the usual length, a re-vote in
one case of five. Then each replay runs as a command in a process of its own, start of Python and
check of the record included. Its time is that of the processor, which it needs one of: by the clock
it is the same where nobody else uses the machine, and shown beside it. Memory is the largest that
the process held; a tenth of the cases is replayed beside it to see what grows.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safejury.agents import Ballot, BallotOutcome, Case, Finding
from safejury.datasets import Intent, Query
from safejury.deliberation import (
    BallotsRevealed,
    CaseOpened,
    DiscussionOpened,
    Rule,
    SeatInfo,
    VerdictAnnounced,
    build_verdict,
    contested,
)
from safejury.evaluation import open_record
from safejury.evaluation.trials import Exchange, result_of
from safejury.models import Usage
from safejury.targets import Response, ResponseOutcome

CASES = 100_000
SEATS = ("clinician", "lawyer", "sceptic", "ethicist", "educator")
REASON = "The response stays general and gives no steps that somebody could act on. " * 3
REPLY = "An answer. " * 150
REPLAYS = {
    "another rule": ("--set", "jury.protocol.rule=any"),
    "without a juror, round 0": (
        "--without",
        "lawyer",
        "--round",
        "0",
        "--set",
        "jury.protocol.tie=unsafe",
    ),
    "asked in turn": ("--set", "jury.protocol.stop=curtailed"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    many = CASES // 10 if parser.parse_args().quick else CASES
    print("| measure | figure | goal | met |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        runs = [Path(name) / str(cases) for cases in (many // 10, many)]
        for run, cases in zip(runs, (many // 10, many), strict=True):
            asyncio.run(write(run, cases))
        for what, options in REPLAYS.items():
            (_, _, few_mb), (seconds, clock, mb) = (took("replay", run, options) for run in runs)
            met = "yes" if seconds < 10 else "**no**"
            said = f"{seconds:.1f} s (by the clock {clock:.1f})"
            print(f"| {what}: {many:,} cases | {said} | under 10 s | {met} |", flush=True)
            print(f"| the same: memory, all / a tenth of them | {mb:.0f} / {few_mb:.0f} MB | | |")


def took(command: str, run: Path, options: tuple[str, ...]) -> tuple[float, float, float]:
    """Return the seconds of the processor and of the clock, and the megabytes, of a command."""
    code = (
        "import resource, sys; from safejury.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "finally:\n"
        "    used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "    print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, file=sys.stderr)"
    )
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, command, str(run), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    clock = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, megabytes = map(float, done.stderr.splitlines()[-1].split())
    return seconds, clock, megabytes


@dataclass(frozen=True)
class Kind:
    """What the cases of a record are like, by their number."""

    scenarios: Sequence[str] = ("cybersecurity.malware_generation",)
    targets: Sequence[str] = ("target",)
    benign: int = 0
    """Every so many queries is benign; 0 for none."""

    def query(self, number: int) -> Query:
        at = number // len(self.targets)
        is_benign = self.benign and at % self.benign == 0
        return Query(
            f"q{at:06}",
            self.scenarios[at % len(self.scenarios)],
            f"A question about {at % 977}. " * 10,
            Intent.BENIGN if is_benign else Intent.HARMFUL,
        )


async def write(run: Path, cases: int, kind: Kind = Kind()) -> None:
    """Write the record of a run that never was."""
    seats = [SeatInfo(name, name, name.title(), "model") for name in SEATS]
    meta = {
        "version": "1",
        "name": run.name,
        "protocol": "contested",
        "total": str(cases),
        "jury": json.dumps(
            [
                {"seat": s.seat, "persona": s.persona, "title": s.title, "model": s.model}
                for s in seats
            ]
        ),
    }
    identity = {
        "jury": {"protocol": "contested"},
        "run": {"seed": 7},
        "targets": [{"name": target, "model": "m"} for target in kind.targets],
    }
    draw = random.Random(1)
    async with open_record(run, identity, meta) as record:
        for number in range(cases):
            query, target = kind.query(number), kind.targets[number % len(kind.targets)]
            response = Response(ResponseOutcome.ANSWERED, f"An answer, no. {number}. " + REPLY)
            case_id = f"{query.id}/{target}/0"
            case = Case(case_id, query, response, "")
            record.write_entry(CaseOpened(case_id, 0, case))
            rounds = [votes(draw, 0)]
            if contested(rounds[0]):
                rounds.append(votes(draw, 1))
            at = 0
            for cast in rounds:
                if at:
                    record.write_entry(DiscussionOpened(case_id, (at := at + 1), 1, "they differ"))
                record.write_entry(
                    BallotsRevealed(
                        case_id, (at := at + 1), cast[0].round, cast, tuple(b.seal() for b in cast)
                    )
                )
            verdict = build_verdict(rounds, Rule(), seats=len(SEATS))
            record.write_entry(VerdictAnnounced(case_id, at + 1, verdict))
            record.write_result(case_id, result_of(target, 0, Exchange(query, response), verdict))
            if not number % 200:
                await asyncio.sleep(0)


def votes(draw: random.Random, round: int) -> tuple[Ballot, ...]:
    """Return the ballots of a round."""
    odd = draw.random() < 0.2

    def one(seat: str) -> Ballot:
        unsafe = draw.random() < (0.4 if odd else 0.0)
        finding = Finding.UNSAFE if unsafe else Finding.SAFE
        return Ballot(
            seat,
            round,
            BallotOutcome.VERDICT,
            finding,
            draw.choice((1, 2) if unsafe else (4, 5)),
            ("C1",),
            REASON,
            False,
            usage=Usage(900, 600, 60),
            cost_usd=0.0001,
            calls=1,
        )

    return tuple(map(one, SEATS))


if __name__ == "__main__":
    main()
