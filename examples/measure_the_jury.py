"""Measure a jury on labeled cases, and correct the rate that it reports: all of it, scripted.

    python examples/measure_the_jury.py [FOLDER]

It runs the commands of docs/trust.md one after the other, and shows each before what it prints:
calibrate a jury, run it by what its card says, report, review some verdicts, report the corrected
rate, calibrate again. Target, jurors and the person who labels are scripted, so that the true rate
is known. With models of your own, the commands are the same.
"""

import argparse
import asyncio
import csv
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from safejury.testing import ScriptedServer, ballot

UNSAFE_SHARE = 0.08
SENSITIVITY = {"careful": 0.75, "lenient": 0.45, "timid": 0.9}
FALSE_ALARMS = {"careful": 0.04, "lenient": 0.02, "timid": 0.25}
CALIBRATED_ON, EVALUATED_ON = range(400), range(400, 1000)


def is_unsafe(number: int) -> bool:
    """Return the truth of the response to a question, which the person sees and jurors guess at."""
    return random.Random(f"truth {number}").random() < UNSAFE_SHARE


def vote(juror: str, number: int) -> Literal["unsafe", "safe"]:
    """Return what a juror says: it errs on its own, and as all do on hard questions."""
    flagged = SENSITIVITY[juror] if is_unsafe(number) else FALSE_ALARMS[juror]
    hard = random.Random(f"how hard is {number}").random()
    own = random.Random(f"{juror} on {number}").random()
    return "unsafe" if (hard if number % 2 else own) < flagged else "safe"


def reply(body: Mapping[str, object]) -> str:
    """Answer as the target, or as the juror whose model is asked."""
    model, asked = str(body["model"]), str(body["messages"])
    number = int(re.findall(r"[Qq]uestion (\d+)", asked)[-1])
    if model == "target":
        return f"This is what I say to question {number}."
    finding = vote(model, number)
    return ballot(finding, 2 if finding == "unsafe" else 4, "As scripted.", quotes=[])


def write_questions(path: Path, numbers: range) -> None:
    """Write a set of queries."""
    scenarios = ("consultation.medical_advice", "ethics.bioethics", "ethics.social_ethics")
    rows = [
        {"id": f"q{n}", "scenario": scenarios[n % 3], "text": f"Question {n}?", "intent": "harmful"}
        for n in numbers
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_config(path: Path, url: str, **jury: object) -> None:
    """Write a config, as JSON, which is YAML as well."""
    seats = [
        {"name": name, "persona": persona, "base_url": url, "model": name}
        for name, persona in zip(SENSITIVITY, ("lawyer", "citizen", "sceptic"), strict=True)
    ]
    config = {
        "dataset": f"{path.stem}.jsonl",
        "targets": [{"name": "mine", "base_url": url, "model": "target"}],
        "jury": {"jurors": seats, "protocol": "vote", **jury},
        "run": {"name": path.stem},
    }
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")


def label_all(path: Path, numbers: range) -> None:
    """Write the labels of a person who read every response."""
    rows = [f"q{n}/mine/0,{'unsafe' if is_unsafe(n) else 'safe'}\n" for n in numbers]
    path.write_text("case,label\n" + "".join(rows), encoding="utf-8")


def fill_in(path: Path) -> None:
    """Label the cases of an exported table, as a person would in a spreadsheet."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        number = int(row["case"].removeprefix("q").partition("/")[0])
        row["label"] = "unsafe" if is_unsafe(number) else "safe"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def safejury(folder: Path, *arguments: str) -> None:
    """Show a command and run it."""
    print(f"\n$ safejury {' '.join(arguments)}", flush=True)
    command = [sys.executable, "-P", "-m", "safejury", *arguments]
    subprocess.run(command, cwd=folder, check=True)


def measure(folder: Path, url: str) -> None:
    """Go the whole way once."""
    for name, numbers in (("known", CALIBRATED_ON), ("release", EVALUATED_ON)):
        write_questions(folder / f"{name}.jsonl", numbers)
    write_config(folder / "known.yaml", url)
    protocol = {"preset": "vote", "rule": "calibrated"}
    card = "runs/known/jury-card.json"
    write_config(folder / "release.yaml", url, card=card, protocol=protocol)

    safejury(folder, "run", "known.yaml")
    label_all(folder / "labels.csv", CALIBRATED_ON)
    safejury(folder, "calibrate", "runs/known", "--labels", "labels.csv")

    safejury(folder, "run", "release.yaml")
    safejury(folder, "report", "runs/release", "--card", card)
    safejury(folder, "replay", "runs/release", "--set", "jury.protocol.stop=sequential")

    todo = folder / "todo.csv"
    drawn = ("--random", "150", "--annotator", "anna", "--export", "todo.csv")
    safejury(folder, "review", "runs/release", *drawn)
    fill_in(todo)
    safejury(folder, "review", "runs/release", "--import", "todo.csv")
    labels = "runs/release/labels.jsonl"
    safejury(folder, "report", "runs/release", "--labels", labels)
    safejury(folder, "calibrate", "runs/release", "--labels", labels, "--out", "cards/release")

    unsafe = sum(map(is_unsafe, EVALUATED_ON))
    rate = 100 * unsafe / len(EVALUATED_ON)
    print(f"\nThe true rate is {rate:.1f} %: {unsafe} of {len(EVALUATED_ON)}.")


async def main(named: Path | None) -> None:
    """Run the example in a folder, which is kept where one is named."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = named or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        async with ScriptedServer(reply=reply) as server:
            await asyncio.to_thread(measure, folder, server.base_url)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure a scripted jury, and correct its rate.")
    parser.add_argument("folder", nargs="?", type=Path, help="an empty folder that is kept")
    asyncio.run(main(parser.parse_args().folder))
