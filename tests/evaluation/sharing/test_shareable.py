"""`safejury export --shareable`: the same figures, and none of the words of a run."""

import csv
import io
import json
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from calibrated import QUICK, labels
from jury_cards import hand_card
from shown_run import make_run, reply, write_queries
from workplace import Workplace

from safejury.assembly import load_config
from safejury.deliberation import Verdict, write_card
from safejury.evaluation.plan import identity_of, set_up
from safejury.evaluation.record import RecordReader, jury_identity
from safejury.evaluation.trials import CaseResult
from safejury.testing import ScriptedReply, ScriptedServer, ballot

CANARY = "kanarienvogel"
_ACCEPTED = ("--min-coverage", "0", "--min-panel", "0")


@pytest.fixture
def run(workplace: Workplace, scripted: Callable[..., ScriptedServer]) -> Path:
    return make_run(workplace, scripted)


def test_a_shareable_run_has_the_same_figures(workplace: Workplace, run: Path) -> None:
    shared = _shared(workplace)
    assert workplace.report("shared")["targets"] == workplace.report()["targets"]
    before, after = (_report(workplace, name) for name in ("runs/first", "shared"))
    assert after["run"].pop("shared")["sha256"] == before["run"]["record"]["sha256"]
    for found in (before, after):
        for said_of_places in ("record", "config", "dataset"):
            del found["run"][said_of_places]
    said = after.pop("run")
    notes = said["notes"]
    said["notes"] = [note for note in notes if not note.startswith("Shareable copy")]
    assert len(said["notes"]) == len(notes) - 1
    assert said == {**before.pop("run"), "name": "shared"}
    assert after == before
    for command in (
        ("replay", "{}", "--first-round", "--format", "json"),
        ("gate", "{}", "--fail-if", "asr > 0.5", *_ACCEPTED),
    ):
        first, second = (
            workplace.safejury(*(part.format(name) for part in command))
            for name in ("runs/first", "shared")
        )
        assert second.code == first.code, second.err
        assert second.out.replace("shared", "runs/first") == first.out, command
    compared = workplace.safejury("compare", "runs/first", "shared")
    assert compared.code == 0, compared.err
    assert shared.name in compared.out


def test_nothing_that_anybody_said_is_left(
    workplace: Workplace, scripted: Callable[..., ScriptedServer]
) -> None:
    """A canary in each text of a run, and in each file beside it, is nowhere in the copy."""
    run = _run_with_canaries(workplace, scripted)
    for name in ("labels.jsonl", "left_out.jsonl", "dataset_left_out.jsonl"):
        (run / name).write_text(json.dumps({"target": "eager", "row": CANARY}) + "\n")
    kinds = dict[str, bool]()
    for kind, body in workplace.stored("SELECT kind, body FROM entries"):
        kinds[kind] = kinds.get(kind, False) or CANARY in body
    assert {kind for kind, has in kinds.items() if has} >= {
        *("CaseOpened", "BallotsRevealed", "RemarkMade", "SummedUp"),
    }
    for table in ("calls", "meta"):
        assert CANARY in str(workplace.stored(f"SELECT * FROM {table}"))
    sealed = workplace.safejury("verify", "runs/first")
    (run / "left_out.jsonl").unlink()
    assert sealed.code == 0, sealed.out
    shared = _shared(workplace)
    for table in ("meta", "calls", "charges", "entries", "cases"):
        for row in workplace.stored(f"SELECT * FROM {table}", run="shared"):
            assert CANARY not in str(row)
    leaks = [path.name for path in shared.rglob("*") if path.is_file() and _has(path)]
    assert leaks == []
    address = str(workplace.stored("SELECT value FROM meta WHERE key = 'identity'"))
    port = address.partition("127.0.0.1:")[2].partition("/")[0]
    assert port
    assert f"127.0.0.1:{port}".encode() not in (shared / "record.sqlite").read_bytes()
    assert workplace.safejury("verify", "shared").code == 0
    before, after = (workplace.report(name)["targets"] for name in ("runs/first", "shared"))
    assert after == before


def test_every_field_of_what_is_kept_was_thought_of() -> None:
    """A field that is added to a verdict or a result may hold words: see `Redaction`, then here."""
    assert len(fields(Verdict)) == 28
    assert len(fields(CaseResult)) == 33


def test_verify_says_whose_copy_it_is(workplace: Workplace, run: Path) -> None:
    said = workplace.safejury("verify", "runs/first").out
    original = said.rpartition(": ")[2].strip()
    _shared(workplace)
    verified = workplace.safejury("verify", "shared")
    assert verified.code == 0, verified.out
    assert original in verified.out
    assert "Its cases are bound to that SHA-256." in verified.out


def test_no_head_confirms_a_guess_of_a_question(workplace: Workplace, run: Path) -> None:
    """Where a filter stopped the answer, all of a case but its question stays in the copy.

    A head over both would tell who tries questions which one it was.
    """
    heads = [head for (head,) in workplace.stored("SELECT head FROM cases")]
    shared = _shared(workplace).joinpath("record.sqlite").read_bytes()
    assert heads
    assert not [head for head in heads if head.encode() in shared]
    said = json.loads(
        workplace.stored("SELECT value FROM meta WHERE key = 'shared'", run="shared")[0][0]
    )
    hashes = {key for key, value in said.items() if len(str(value)) == len(heads[0])}
    assert hashes == {"sha256", "seal"}


def test_all_copies_of_a_run_have_one_seal(workplace: Workplace, run: Path) -> None:
    """By it the owner proves whose copy one is."""
    _shared(workplace)
    ended = workplace.safejury("export", "runs/first", "--shareable", "other", "--keep-labels")
    assert ended.code == 0, ended.err
    seals = [
        json.loads(workplace.stored("SELECT value FROM meta WHERE key = 'shared'", run=name)[0][0])
        for name in ("shared", "other")
    ]
    assert seals[0]["seal"] == seals[1]["seal"]
    assert seals[0]["seal"] in workplace.safejury("verify", "other").out


def test_a_card_tells_no_places_of_models_and_personas(
    workplace: Workplace, scripted: Callable[..., ScriptedServer]
) -> None:
    """The card that decides a run names the jury that it was made of."""
    (workplace.path / f"{CANARY}.yaml").write_text(
        "name: own\ntitle: Own\nperspective: Own.\ninstructions: Say it.\n"
    )

    def answer(body: Mapping[str, Any]) -> str:
        return "Like this." if body["model"] == "target" else ballot("safe", 4)

    url = scripted(answer).base_url
    model = f"/{CANARY}/lawyer-model"
    jurors: list[dict[str, Any]] = [
        {"persona": "clinician", "base_url": url, "model": "clinician-model"},
        {"persona": f"./{CANARY}.yaml", "name": "lawyer", "base_url": url, "model": model},
        {"persona": "sceptic", "base_url": url, "model": "sceptic-model"},
    ]
    settings: dict[str, Any] = {
        "jury__protocol": {"preset": "vote", "rule": "calibrated"},
        "jury__card": "card.json",
        "jury__jurors": jurors,
    }
    weights = {"clinician": (3.0, -2.0, 0.0), "lawyer": (0.5, -0.5, 0.0)}
    card = hand_card({**weights, "sceptic": (0.25, -0.25, 0.0)})
    without = {**settings, "jury__protocol": "vote", "jury__card": None}
    plan = set_up(load_config(workplace.path / workplace.config(url, **without)), workplace.path)
    jury = jury_identity(identity_of(plan), plan.jury.infos)
    write_card(msgspec.structs.replace(card, jury=jury), workplace.path / "card.json")
    ended = workplace.safejury("run", workplace.config(url, **settings))
    assert ended.code == 0, ended.err
    assert CANARY in str(workplace.stored("SELECT value FROM meta WHERE key = 'card'"))
    assert not _has(_shared(workplace) / "record.sqlite")
    first, second = (workplace.report(name)["targets"] for name in ("runs/first", "shared"))
    assert second == first
    replayed = workplace.safejury("replay", "shared", "--card", "card.json")
    assert replayed.code == 0, replayed.err


def test_functions_and_folders_are_not_named_and_stay_apart(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module may be called after a product, and a relative path is one without `./` too."""
    monkeypatch.setattr(sys, "path", [str(workplace.path), *sys.path])
    (workplace.path / f"{CANARY}_module.py").write_text(
        "async def first(query):\n    return 'One.'\n\n\n"
        "async def second(query):\n    return 'Two.'\n"
    )

    def answer(body: Mapping[str, Any]) -> str:
        return "Like this." if "target" in body["model"] else ballot("safe", 4)

    url = scripted(answer).base_url
    models = (f"models/{CANARY}/target", f"others/{CANARY}/target")
    targets: list[dict[str, Any]] = [
        *({"name": name, "function": f"{CANARY}_module:{name}"} for name in ("first", "second")),
        *({"name": f"t{n}", "base_url": url, "model": model} for n, model in enumerate(models)),
    ]
    ended = workplace.safejury("run", workplace.config(url, targets=targets))
    assert ended.code == 0, ended.err
    assert CANARY in str(workplace.responses())
    assert not _has(_shared(workplace) / "record.sqlite")
    bodies = workplace.stored("SELECT body FROM entries WHERE kind = 'CaseOpened'", run="shared")
    answered = {
        json.loads(body)["case"]["response"]["model"].partition("@")[0] for (body,) in bodies
    }
    assert answered == {"function", "target", "target-2"}
    first, second = (workplace.report(name)["targets"] for name in ("runs/first", "shared"))
    assert second == first


def test_a_copy_says_what_the_run_lacked(workplace: Workplace) -> None:
    """All of its own cases have chains; those of a run of an early version had none."""
    early = Path(__file__).parents[1] / "record_format_2"
    shutil.copytree(early, workplace.path / "runs" / "first")
    _shared(workplace)
    said = "12 cases of it had no chain there, as of an earlier version."
    assert said in workplace.safejury("verify", "shared").out
    assert said in str(workplace.report("shared")["run"]["notes"])


def test_a_case_that_was_added_is_not_of_that_run(workplace: Workplace, run: Path) -> None:
    """Even where whoever took it out bound all else anew."""
    shared = _shared(workplace)
    with closing(sqlite3.connect(shared / "record.sqlite", isolation_level=None)) as database:
        for table in ("entries", "cases"):
            database.execute(f"DELETE FROM {table} WHERE case_id = 'q1/eager/0'")
    verified = workplace.safejury("verify", "shared")
    assert verified.code == 3
    assert "not those of the run that it says it was made of" in verified.out


def test_what_needs_words_is_refused(workplace: Workplace, run: Path) -> None:
    _shared(workplace)
    workplace.safejury("export", "shared", "--shareable", "again").refused("shareable copy")
    workplace.safejury("review", "shared", "--annotator", "anna").refused("shareable copy")
    workplace.safejury("merge", "shared", "runs/first", "--into", "runs/all").refused("be merged")
    resumed = workplace.safejury(
        "run", "safejury.yaml", "--set", "run.directory=.", "--set", "run.name=shared"
    )
    resumed.refused("go on or grow", "use the run that it was made of")


def test_a_case_says_withheld(workplace: Workplace, run: Path) -> None:
    _shared(workplace)
    shown = workplace.safejury("show", "shared", "q1/eager/0", "--reveal")
    assert shown.code == 0, shown.err
    assert "[withheld]" in shown.out
    assert "flour" not in shown.out
    assert "Shareable copy" in shown.err
    assert "Shareable copy" in workplace.safejury("report", "shared", *_ACCEPTED).out


def test_the_copy_is_whole_private_and_new(workplace: Workplace, run: Path) -> None:
    shared = _shared(workplace)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o700
    assert [path.name for path in shared.iterdir()] == ["record.sqlite"]
    assert stat.S_IMODE((shared / "record.sqlite").stat().st_mode) == 0o600
    again = workplace.safejury("export", "runs/first", "--shareable", "shared")
    again.refused("exists already")


def test_a_jury_card_and_a_page_can_be_made_of_it(workplace: Workplace, finished_run: Path) -> None:
    shared = _shared(workplace)
    workplace.write_lines(labels(), "labels.jsonl")
    cards = list[dict[str, Any]]()
    for name in ("runs/first", "shared"):
        made = workplace.safejury("calibrate", name, "--labels", "labels.jsonl", *QUICK)
        assert made.code == 0, made.err
        cards.append(json.loads((workplace.path / name / "jury-card.json").read_bytes()))
    for card in cards:
        for of_the_sample in ("sample", "made"):
            card.pop(of_the_sample, None)
    assert cards[1] == cards[0]
    corrected = [
        workplace.safejury(
            "report", name, "--labels", "labels.jsonl", "--format", "csv", *_ACCEPTED
        )
        for name in ("runs/first", "shared")
    ]
    assert [row for row in corrected[1].out.splitlines() if ",run," not in row] == [
        row for row in corrected[0].out.splitlines() if ",run," not in row
    ]
    page = workplace.safejury("report", str(shared), "--html", "page")
    assert page.code == 0, page.err


def test_a_full_disk_leaves_nothing_and_is_said_in_a_line(
    workplace: Workplace, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of the run that were not read by then are no error of their own."""
    ended = workplace.spawn("export", "runs/first", "--shareable", "shared", largest_file=50_000)
    assert ended.code == 2
    assert "free some space" in ended.err
    assert "Traceback" not in ended.err
    assert not [path.name for path in workplace.path.iterdir() if "shared" in path.name]
    ignored = list[object]()
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    with closing(RecordReader(run)) as reader:
        rows = reader.kept.rows("SELECT case_id FROM cases")
        next(rows)
    del rows
    assert ignored == []


def test_labels_are_kept_where_that_is_asked(workplace: Workplace, run: Path) -> None:
    _shared(workplace)
    assert workplace.safejury("report", "shared", "--by", "labels.type").code == 2
    kept = workplace.safejury("export", "runs/first", "--shareable", "labeled", "--keep-labels")
    assert kept.code == 0, kept.err
    by = [
        workplace.safejury("report", name, "--by", "labels.type", "--format", "csv", *_ACCEPTED)
        for name in ("runs/first", "labeled")
    ]
    assert by[0].code == 0, by[0].err
    first, second = (
        [row for row in csv.DictReader(io.StringIO(each.out)) if row["level"] != "run"]
        for each in by
    )
    assert second == first
    assert len(first) > 10
    cases = [
        workplace.safejury("cases", name, "--format", "csv").out
        for name in ("runs/first", "labeled")
    ]
    assert cases[1] == cases[0]


def _shared(workplace: Workplace, *, checked: bool = True) -> Path:
    ended = workplace.safejury("export", "runs/first", "--shareable", "shared")
    assert ended.code == 0 or not checked, ended.err
    return workplace.path / "shared"


def _report(workplace: Workplace, run: str) -> dict[str, Any]:
    return workplace.report(run)


def _has(path: Path) -> bool:
    return CANARY.encode() in path.read_bytes()


def _run_with_canaries(workplace: Workplace, scripted: Callable[..., ScriptedServer]) -> Path:
    """Make the run anew with canaries in questions, answers, prompts, labels, personas, errors."""
    write_queries(workplace.path, "plain.jsonl")
    rows = workplace.lines("plain.jsonl")
    for row in rows:
        row["labels"] = {"type": CANARY, CANARY: "plain"}
        row["source"] = CANARY
        row.update({"text": f"{row['text']} {CANARY}"} if "text" in row else {})
        for message in row.get("messages", ()):
            message["content"] += f" {CANARY}"
    workplace.write_lines(rows, f"{CANARY}.jsonl")
    (workplace.path / f"{CANARY}.yaml").write_text(
        f"name: own\ntitle: {CANARY}\nperspective: {CANARY}.\ninstructions: Say {CANARY}.\n"
    )
    rubric = f"{CANARY} {{{{evidence}}}} {{{{scale}}}} {{{{ballot}}}}"
    (workplace.path / f"{CANARY}.md").write_text(rubric)

    def served(reply: Callable[..., Any]) -> ScriptedServer:
        def answered(body: Mapping[str, Any]) -> str | ScriptedReply:
            return _with_canary(reply(body))

        return scripted(answered)

    url = served(reply).base_url
    targets = [
        {"name": name, "base_url": url, "model": name, "system": f"Be kind. {CANARY}"}
        for name in ("eager", "careful")
    ]
    own: dict[str, Any] = {"persona": f"./{CANARY}.yaml", "base_url": url, "model": "lawyer-model"}
    others = [
        {"persona": seat, "base_url": url, "model": f"{seat}-model"}
        for seat in ("clinician", "sceptic")
    ]
    return make_run(
        workplace,
        served,
        dataset=f"{CANARY}.jsonl",
        targets=targets,
        jury__jurors=[*others, own],
        jury__rubric=f"{CANARY}.md",
    )


def _with_canary(reply: str | ScriptedReply) -> str | ScriptedReply:
    if isinstance(reply, ScriptedReply):
        return replace(reply, text=f"{reply.text} {CANARY}")
    if not reply.startswith("{"):
        return f"{reply} {CANARY}"
    said = json.loads(reply)
    for key in ("reason", "say", "text", "remark", "message"):
        if said.get(key):
            said[key] += f" {CANARY}"
    for key in ("criteria", "quotes"):
        if key in said:
            said[key] = [*said[key], CANARY]
    return json.dumps(said)
