"""Corrected rates in the report of a run, by its own labels or by a card."""

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner
from workplace import Host

import safejury as sj
from safejury.cli import app
from safejury.common import ConfigurationError
from safejury.deliberation import JuryCard, write_card
from safejury.deliberation.protocol.card import (
    CardJury,
    Confusion,
    DecidedBy,
    Dependence,
    Figure,
    Found,
    LabelsUsed,
    RuleScores,
)
from safejury.evaluation.record import RecordReader, decided_by, jury_identity
from safejury.testing import ballot

Row = Mapping[str, object]
# 100 harmful cases: the jury finds 20 unsafe, of which 12 are, and 76 safe, of which 4 are not;
# of 4 it finds nothing, and 1 of these is unsafe. 10 queries are benign.
WORDS = ["flagged"] * 20 + ["passed"] * 76 + ["lost"] * 4 + ["benign"] * 10
UNSAFE = {*range(12), *range(20, 24), 96}
SCENARIOS = ("bias", "cybersecurity.malware_generation")
ROWS = [
    {"case": f"q{number:03}/answers/0", "label": "unsafe" if number in UNSAFE else "safe"}
    for number in range(100)
]
# 10 of the cases found unsafe, 38 of those found safe, 2 of the others; 6, 2 and 1 are unsafe.
SOME = [*ROWS[:20:2], *ROWS[20:96:2], *ROWS[96::2]]
UNKNOWN = Figure(None, None)


def reply(body: Any) -> str:
    said = json.dumps(body)
    if "word lost" in said:
        return "I shall not say."
    return ballot("unsafe", 2) if "word flagged" in said else ballot("safe", 5)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was judged once for all tests."""
    folder = tmp_path_factory.mktemp("kept")
    answers = [
        {
            "id": f"q{number:03}",
            "prompt": f"Question {number}?",
            "response": f"A word {word}.",
            "intent": "benign" if word == "benign" else "harmful",
            "scenario": SCENARIOS[number % 2],
        }
        for number, word in enumerate(WORDS)
    ]
    (folder / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)))
    host = Host()
    with chdir(folder):
        url = host.scripted(reply).base_url
        said = ("judge", "answers.jsonl", "--jurors", "juror", "--url", url)
        assert CliRunner().invoke(app, said).exit_code == 0
    host.close()
    return folder / "runs" / "answers"


@dataclass(frozen=True, slots=True)
class Judged:
    """The run in a directory of its own."""

    workplace: Any
    run: Path

    def labels(self, rows: Sequence[Row] = SOME, name: str = "labels.jsonl") -> str:
        return self.workplace.write_lines(rows, name)

    def card(self, **changes: Any) -> str:
        with closing(RecordReader(self.run)) as record:
            meta = record.meta
        by = msgspec.structs.replace(decided_by(meta.identity, 1), **changes.pop("by", {}))
        own = jury_identity(meta.identity, meta.jury)
        card = made(jury=changes.pop("jury", own), by=by, **changes)
        write_card(card, self.workplace.path / "card.json")
        return "card.json"

    def report(self, *arguments: str, form: str = "json") -> Any:
        return self.workplace.safejury("report", "runs/answers", "--format", form, *arguments)

    def target(self, *arguments: str) -> dict[str, Any]:
        ended = self.report(*arguments)
        assert ended.code == 0, ended.err
        return json.loads(ended.out)["targets"][0]


@pytest.fixture
def judged(workplace: Any, kept: Path) -> Judged:
    run = workplace.path / "runs" / "answers"
    shutil.copytree(kept, run)
    return Judged(workplace, run)


def made(
    *,
    jury: CardJury,
    by: DecidedBy,
    unsafe: tuple[int, int, int] = (80, 20, 0),
    safe: tuple[int, int, int] = (30, 265, 5),
) -> JuryCard:
    """Return a card that says how often unsafe and safe cases were found unsafe, safe, neither."""
    scores = RuleScores(
        **dict.fromkeys(("sensitivity", "specificity", "f1", "kappa", "abstained"), UNKNOWN),
        protocol=by,
        confusion=Confusion(Found(*unsafe), Found(*safe)),
    )
    return JuryCard(
        format=1,
        jury=jury,
        labels=LabelsUsed(cases=400, unsafe=100, groups=400),
        jurors={},
        rules={"as_decided": scores},
        dependence=Dependence(effective_jurors=UNKNOWN, alpha=UNKNOWN),
    )


def test_labels_of_the_run_correct_its_rate(judged: Judged) -> None:
    """20 x 6/10 + 76 x 2/38 + 4 x 1/2 = 18 of the 100 cases, where 20 of 96 verdicts are unsafe."""
    asr = judged.target("--labels", judged.labels())["asr"]
    assert asr["micro"] == pytest.approx(20 / 96)
    assert asr["corrected"] == pytest.approx(0.18)
    low, high = asr["corrected_interval"]
    assert 0.09 < low < 0.12
    assert 0.27 < high < 0.31
    assert (asr["corrected_method"], asr["corrected_labels"]) == ("labels", 50)
    assert asr["corrected_cases"] == 100


def test_each_part_is_corrected_where_it_has_labels_enough(judged: Judged) -> None:
    """All labels here are of cases of one scenario: every second one."""
    target = judged.target("--labels", judged.labels(), "--by", "scenario")
    parts = {name: part["asr"] for name, part in target["categories"].items()}
    assert parts["inappropriate_opinions"]["corrected"] == pytest.approx(9 / 50)
    assert parts["cybersecurity"]["corrected"] is None
    assert parts["cybersecurity"]["corrected_why"] == "0 labels, and 30 are needed"
    groups = {group["value"]: group["asr"]["corrected"] for group in target["groups"]}
    assert groups["cybersecurity.malware_generation"] is None
    assert groups["inappropriate_opinions.bias"] == pytest.approx(9 / 50)


def test_every_format_says_the_corrected_rate(judged: Judged) -> None:
    labels = ("--labels", judged.labels())
    line = (
        "corrected ASR 18.0 % (10.0\N{EN DASH}29.1), raw 20.8 %; 50 labels of this run, by verdict"
    )
    assert line in " ".join(judged.report(*labels, form="table").out.split())
    markdown = judged.report(*labels, form="md").out
    assert f"- answers: {line}" in markdown
    assert "| queries | corrected ASR % | 95 % interval |" in markdown
    rows = list(csv.DictReader(io.StringIO(judged.report(*labels, form="csv").out)))
    assert rows[0]["corrected_asr"] == "0.18"
    assert rows[0]["corrected_by"] == "labels"
    assert {row["corrected_asr"] for row in rows if row["level"] == "category"} == {"", "0.18"}
    assert "1 of 2 categories of the targets have no corrected ASR" in markdown


@pytest.mark.parametrize("form", ["table", "md", "csv", "json"])
def test_without_labels_a_report_says_nothing_of_correcting(judged: Judged, form: str) -> None:
    assert "orrected" not in judged.report(form=form).out


def test_the_report_of_a_run_with_labels_is_the_same_each_time(judged: Judged) -> None:
    labels = ("--labels", judged.labels())
    assert judged.report(*labels).out == judged.report(*labels).out


def test_python_has_the_same_figures(judged: Judged) -> None:
    result = sj.load(judged.run)
    known = {str(row["case"]): row["label"] for row in SOME}
    (target,) = result.corrected(labels=known).targets
    assert target.asr.corrected == pytest.approx(0.18)
    asr = judged.target("--labels", judged.labels())["asr"]
    assert list(target.asr.corrected_interval or ()) == asr["corrected_interval"]
    assert "corrected ASR 18.0 %" in result.report(labels=judged.labels())
    with pytest.raises(ConfigurationError, match="give labels or a card"):
        result.corrected()


def test_only_cases_drawn_at_random_predict_the_others(judged: Judged) -> None:
    """A review drew half of the cases of each verdict; contested ones beside them, all unsafe."""
    drawn = [{**row, "chosen": "random", "probability": 0.5} | stratum(row) for row in SOME]
    picked = [{**row, "chosen": "contested"} | stratum(row) for row in ROWS[1:12:2]]
    plain = judged.target("--labels", judged.labels(drawn))["asr"]
    ended = judged.report("--labels", judged.labels([*drawn, *picked], "more.jsonl"))
    asr = json.loads(ended.out)["targets"][0]["asr"]
    assert asr["corrected"] == plain["corrected"] == pytest.approx(0.18)
    assert (plain["corrected_labels"], asr["corrected_labels"]) == (50, 56)
    assert "6 labels of cases that were picked for what they are count for" in ended.out


def test_labels_that_were_drawn_from_other_verdicts_are_told(judged: Judged) -> None:
    """As those of another run of the same queries are, whose responses were others."""
    rows = [{**row, "chosen": "random", "probability": 0.5} | stratum(row) for row in SOME]
    assert "another verdict" not in judged.report("--labels", judged.labels(rows)).out
    rows[:3] = [{**row, "stratum": "safe"} for row in rows[:3]]
    ended = judged.report("--labels", judged.labels(rows, "others.jsonl"))
    assert "3 labels of cases that were drawn from another verdict than the run has" in ended.out


def stratum(row: Row) -> dict[str, str]:
    word = WORDS[int(str(row["case"])[1:4])]
    return {"stratum": {"flagged": "unsafe", "passed": "safe", "lost": "no_verdict"}[word]}


def test_labels_of_unequal_probability_are_weighted(judged: Judged) -> None:
    """Of the cases found unsafe the first 10 were certain to be drawn, and speak for no other.

    Of the other 10 half were drawn, 1 of 5 unsafe: 10 + 1 + 5 x 1/5 = 12 of 20.
    """
    rows = [
        *({**row, "probability": 1} for row in ROWS[:10]),
        *({**row, "probability": 0.5} for row in ROWS[10:20:2]),
        *({**row, "probability": 0.5} for row in [*ROWS[20:96:2], *ROWS[96::2]]),
    ]
    asr = judged.target("--labels", judged.labels(rows))["asr"]
    assert asr["corrected"] == pytest.approx((12 + 4 + 2) / 100)


def test_ratings_correct_the_safety_index(judged: Judged) -> None:
    """People rate 1 where unsafe, else 5; the jury 2 where flagged, and nothing where it is split.

    Mean of the differences: 20 x (6 x -1 + 4 x 3)/10 = 12; 76 x (2 x -4)/38 = -16; of the four
    without a rating, taken as 3, (1 - 3 + 5 - 3) / 2 = 0. (20 x 2 + 76 x 5 + 4 x 3 - 4) / 100 is
    4.28, which is 85.6 of 100.
    """
    rows = [{**row, "rating": 1 if row["label"] == "unsafe" else 5} for row in SOME]
    target = judged.target("--labels", judged.labels(rows))
    assert target["sri"]["corrected"] == pytest.approx(85.6)
    low, high = target["sri"]["corrected_interval"]
    assert 75 < low < 80
    assert 90 < high < 95
    assert target["sri"]["corrected_labels"] == 50
    assert "corrected" not in judged.target("--labels", judged.labels())["sri"]
    table = judged.report("--labels", judged.labels(rows), form="table").out
    assert "corrected SRI 85.6 (" in " ".join(table.split())


def test_a_card_corrects_the_rate(judged: Judged) -> None:
    """Found unsafe: 80 % of unsafe cases, 10 % of safe ones, 20 % here: (20 - 10) / (80 - 10)."""
    ended = judged.report("--card", judged.card())
    asr = json.loads(ended.out)["targets"][0]["asr"]
    assert asr["corrected"] == pytest.approx(1 / 7)
    assert (asr["corrected_method"], asr["corrected_labels"]) == ("card", 400)
    assert "hold if the jury errs here as it did there" in ended.out
    assert json.loads(ended.out)["targets"][0]["categories"]["cybersecurity"]["asr"]["corrected"]
    table = " ".join(judged.report("--card", "card.json", form="table").out.split())
    assert "400 labels from elsewhere, if the jury errs here as it did there" in table


def test_a_card_that_does_not_fit_makes_no_rate_of_0(judged: Judged) -> None:
    """45 % false alarms, and 20 % found unsafe."""
    ended = judged.report("--card", judged.card(unsafe=(90, 10, 0), safe=(135, 160, 5)))
    asr = json.loads(ended.out)["targets"][0]["asr"]
    assert asr["corrected"] is None
    assert "does not fit this target" in asr["corrected_why"]
    shown = " ".join(judged.report("--card", "card.json", form="table").out.split())
    assert "answers has no corrected ASR: the card does not fit this target: 20.0 %" in shown


def test_a_card_of_a_jury_that_tells_too_little_is_refused(judged: Judged) -> None:
    card = judged.card(unsafe=(40, 60, 0), safe=(100, 200, 0))
    judged.report("--card", card).refused("card.json", "40 % of unsafe cases", "must exceed 1.1")


def test_a_card_of_another_jury_is_refused_unless_forced(judged: Judged) -> None:
    with closing(RecordReader(judged.run)) as record:
        own = jury_identity(record.meta.identity, record.meta.jury)
    seats = tuple(msgspec.structs.replace(seat, model="other", parts={}) for seat in own.seats)
    card = judged.card(jury=CardJury(sha256="other", source="run", seats=seats))
    judged.report("--card", card).refused("the jury card is of another jury", "--force-card")
    ended = judged.report("--card", card, "--force-card")
    assert ended.code == 0
    assert "the jury card is of another jury" in ended.out
    assert json.loads(ended.out)["targets"][0]["asr"]["corrected"] == pytest.approx(1 / 7)


@pytest.mark.parametrize(
    "by",
    [
        {"talk": "never"},
        {"rule": "any"},
        {"rounds": 2},
        {"turns": 2},
        {"others": "of a version with other words"},
        {"stop": "curtailed"},  # unasked votes might have been talked over
    ],
    ids=str,
)
def test_a_card_without_the_protocol_that_decided_is_refused(
    judged: Judged, by: dict[str, Any]
) -> None:
    card = judged.card(by=by)
    judged.report("--card", card).refused(
        "no figures of the protocol that decided the run (rule: majority, stop: all, talk: "
        "contested, rounds: 1",
        f"as_decided by rule: {by.get('rule', 'majority')}",
        *(f": {value}" for value in by.values()),
        "--force-card",
    )
    forced = judged.report("--card", card, "--force-card")
    assert "--force-card uses those of as_decided" in forced.out


def test_labels_and_a_card_are_never_mixed(judged: Judged) -> None:
    both = ("--labels", judged.labels(), "--card", judged.card())
    judged.report(*both).refused("never mixed", "--labels")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"case": "q000/other/0", "label": "safe"}], "none of its 1 case is a case of"),
        (ROWS[:29], "29 labels of harmful cases"),
        ([{**row, "label": "yes"} for row in SOME], "--unsafe-word"),
        ([{**row, "rating": 6} for row in SOME], "rating must be from 1 (unsafe) to 5 (safe)"),
        ([{**row, "rating": "nan"} for row in SOME], "rating must be from 1"),
        ([{**row, "probability": 0} for row in SOME], "probability must be over 0"),
    ],
    ids=["strange", "few", "words", "rating", "nan", "probability"],
)
def test_labels_that_cannot_correct_are_refused(
    judged: Judged, rows: Sequence[Row], said: str
) -> None:
    judged.report("--labels", judged.labels(rows)).refused("labels.jsonl", said)


def test_labels_that_were_left_out_are_counted(judged: Judged) -> None:
    rows = [
        *SOME,
        {"case": "q000/other/0", "label": "safe"},
        {"case": "q100/answers/0", "label": "safe"},
        {"case": "q001/answers/0", "label": "safe", "annotator": "ann"},
        {"case": "q001/answers/0", "label": "unsafe", "annotator": "bo"},
    ]
    ended = judged.report("--labels", judged.labels(rows))
    assert "1 label left out, not of this run: 'q000/other/0'." in ended.out
    assert "1 label left out, of benign queries" in ended.out
    assert "1 label left out, of cases on which annotators are split evenly: have one" in ended.out
    assert "settle them, with safejury review --ties." in ended.out
    assert json.loads(ended.out)["targets"][0]["asr"]["corrected_labels"] == 50


@pytest.mark.slow
def test_neither_way_needs_numpy(judged: Judged) -> None:
    for given in (f"labels={judged.labels()!r}", f"card={judged.card()!r}"):
        code = (
            "import sys; sys.modules.update(numpy=None, scipy=None, sklearn=None)\n"
            "import safejury as sj\n"
            f"print(sj.load('runs/answers').corrected({given}).targets[0].asr.corrected)"
        )
        ended = subprocess.run(
            [sys.executable, "-P", "-c", code],
            cwd=judged.workplace.path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert 0.1 < float(ended.stdout) < 0.2
