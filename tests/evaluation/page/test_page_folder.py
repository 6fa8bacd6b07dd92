"""The page of a run as a folder: what is in it, how it is written, and what is refused."""

import csv
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from shown_run import COMPLIED, HOSTILE, VAGUE, make_run
from workplace import Host, Workplace

from safejury.evaluation.figures import PALETTE
from safejury.evaluation.page import PageSource, piece, write_page
from safejury.testing import ScriptedReply, ScriptedServer

Start = Callable[..., ScriptedServer]
ANY = ("--min-coverage", "0", "--min-panel", "0")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The directory of a run with all that a page shows, and of its page; not to be changed."""
    place = Workplace(tmp_path_factory.mktemp("shown"))
    host = Host()
    with pytest.MonkeyPatch.context() as narrow:
        narrow.chdir(place.path)
        make_run(place, host.scripted)
        ended = place.safejury("report", "runs/first", "--html", "page", *ANY)
    host.close()
    assert ended.code == 0, ended.err
    assert "Wrote page/index.html: 16 cases, 3 pictures and sounds." in ended.err
    return place


@pytest.fixture
def page(made: Workplace) -> Path:
    """The page of that run, to be read alone."""
    return made.path / "page"


@pytest.fixture
def run(made: Workplace, workplace: Workplace) -> Workplace:
    """A directory with `runs/first`, a copy."""
    shutil.copytree(made.path / "runs" / "first", workplace.path / "runs" / "first")
    return workplace


@pytest.fixture
def bare(workplace: Workplace, scripted: Start) -> Workplace:
    """A directory with `runs/first`, in which the target failed always: nothing was judged."""
    server = scripted(lambda body: ScriptedReply(status=400, text="no"))  # pyright: ignore
    ended = workplace.safejury("run", workplace.config(server.base_url), *ANY)
    assert ended.code == 0, ended.err
    return workplace


def pieces(folder: Path) -> dict[str, Any]:
    """Return what the scripts of a page hand to it, by name."""
    found: dict[str, Any] = {}
    for path in sorted((folder / "data").iterdir()):
        call = re.fullmatch(r'safejury\.piece\("([a-z0-9-]+)", (.*)\);\n', path.read_text("utf-8"))
        assert call is not None, path
        found[call[1]] = json.loads(call[2])
    return found


def test_a_page_has_the_figures_and_all_cases_of_a_run(made: Workplace) -> None:
    found = pieces(made.path / "page")
    assert found.keys() == {"overview", "figures", "index-0", "texts-0", "cases-0"}
    targets = {each["name"]: each for each in found["overview"]["targets"]}
    told = {each["name"]: each for each in made.report(str(made.path / "runs/first"))["targets"]}
    assert targets.keys() == told.keys()
    assert all(targets[name]["asr"] == told[name]["asr"] for name in told)
    columns = found["index-0"]["columns"]
    assert found["index-0"]["count"] == len(found["cases-0"]["cases"]) == 16
    outcomes = [columns["verdict"]["values"][code] for code in columns["verdict"]["codes"]]
    queries = [columns["query_id"]["values"][code] for code in columns["query_id"]["codes"]]
    cases = found["cases-0"]["cases"]
    assert queries == [case["query"] for case in cases]
    assert outcomes == [
        next(e for e in case["entries"] if e["kind"] == "verdict")["finding"] or "no_verdict"
        for case in cases
    ]


def test_times_of_the_page_are_those_of_its_chart(made: Workplace, page: Path) -> None:
    targets = pieces(page)["overview"]["targets"]
    with (page / "figures" / "latency.csv").open(encoding="utf-8", newline="") as file:
        drawn = {row["name"]: row for row in csv.DictReader(file)}
    assert len(targets) > 0
    for target in targets:
        row, shown = drawn[target["name"]], target["latency"]
        assert int(row["n"]) == shown["n"]
        assert float(row["median_s"]) == shown["median"]
        assert float(row["slowest_tenth_s"]) == shown["high"]


def test_the_page_gives_no_color_of_its_charts_another_meaning(page: Path) -> None:
    style = (page / "assets" / "app.css").read_text(encoding="utf-8")
    (own,) = re.findall(r"^:root \{$(.+?)^\}$", style, re.MULTILINE | re.DOTALL)
    names = set(re.findall(r"--([\w-]+):", own))
    assert "unsafe" in names
    assert not names & PALETTE.keys()


def test_only_its_owner_may_read_a_page(page: Path) -> None:
    for path in [page, *page.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_words_of_others_cannot_end_the_script_that_carries_them(page: Path) -> None:
    for path in (page / "data").iterdir():
        assert b"<" not in path.read_bytes()
    cases = pieces(page)["cases-0"]["cases"]
    assert HOSTILE in {"".join(c["response"]["words"]) for c in cases if c["query"] == "q4"}


def test_a_page_without_texts_has_no_word_of_a_case(run: Workplace) -> None:
    ended = run.safejury("report", "runs/first", "--html", "page", "--without-texts", *ANY)
    assert ended.code == 0, ended.err
    assert "reveals them" not in ended.err
    page = run.path / "page"
    assert not (page / "media").exists()
    assert "texts-0" not in pieces(page)
    whole = b"".join(path.read_bytes() for path in (page / "data").iterdir()).lower()
    for words in ("mix the flour", "how do i make", "window.hurt", "names the steps", "flour"):
        assert words.encode() not in whole, words
    assert pieces(page)["overview"]["texts"] is False
    assert [each["rating"] for each in _ballots(page, "q1/eager/0")] == [
        2,
        2,
        4,
        None,
        2,
        2,
        2,
        None,
    ]


def test_a_page_without_texts_has_no_error_that_quotes_a_question(
    workplace: Workplace, scripted: Start
) -> None:
    """As endpoints do that say what they refuse."""
    server = scripted(lambda body: ScriptedReply(status=400, text=str(body["messages"])))  # pyright: ignore
    config = workplace.config(server.base_url)
    assert workplace.safejury("run", config, *ANY).code == 0
    for name, *options in (("whole",), ("bare", "--without-texts")):
        ended = workplace.safejury("report", "runs/first", "--html", name, *options, *ANY)
        assert ended.code == 0, ended.err
    whole, bare = (
        {path.name: path.read_text() for path in (workplace.path / name / "data").iterdir()}
        for name in ("whole", "bare")
    )
    quoting = [name for name, said in whole.items() if "Question q1" in said]
    assert quoting == ["cases-0.js"]  # for the case that is revealed, and nowhere else
    assert [name for name, said in bare.items() if "Question q1" in said] == []
    assert '"outcome":"error"' in bare["cases-0.js"]


def _ballots(page: Path, case_id: str) -> list[dict[str, Any]]:
    (case,) = [each for each in pieces(page)["cases-0"]["cases"] if each["id"] == case_id]
    rounds = [entry for entry in case["entries"] if entry["kind"] == "round"]
    return [ballot for each in rounds for ballot in each["ballots"]]


def test_quoted_words_are_cut_out_for_the_jurors_who_quote_them(page: Path) -> None:
    (case,) = [c for c in pieces(page)["cases-0"]["cases"] if c["id"] == "q1/eager/0"]
    said = case["response"]["words"]
    assert "".join(each if isinstance(each, str) else each[0] for each in said) == COMPLIED
    assert [each for each in said if not isinstance(each, str)] == [
        ["mix the flour", ["clinician", "lawyer", "sceptic"]],
        [" with water", ["clinician", "lawyer"]],
        ["keep it secret", ["clinician", "lawyer", "sceptic"]],
    ]
    told = _ballots(page, "q1/eager/0")
    assert {each["seat"]: each["misquotes"] for each in told if each["misquotes"]} == {
        "sceptic": ["burn the kettle"]
    }


def test_a_juror_who_changed_their_mind_has_both_reasons(page: Path) -> None:
    (moved,) = [each for each in _ballots(page, "q1/eager/0") if each["changed"]]
    assert (moved["seat"], moved["changed"], moved["finding"]) == ("sceptic", "safe", "unsafe")
    assert (moved["before"], moved["reason"]) == (VAGUE, "It names the steps.")


def test_a_lost_ballot_is_shown_as_what_it_is(page: Path) -> None:
    lost = [each for each in _ballots(page, "q4/eager/0") if each["seat"] == "lawyer"]
    assert {each["outcome"] for each in lost} == {"transport_error"}
    assert all(each["finding"] is None and each["detail"] for each in lost)


def test_a_page_is_replaced_as_a_whole(bare: Workplace) -> None:
    page = bare.path / "page"
    assert bare.safejury("report", "runs/first", "--html", "page", *ANY).code == 0
    (page / "data" / "index-7.js").write_text("of a larger run")
    ended = bare.safejury("report", "runs/first", "--html", "page", *ANY)
    assert ended.code == 0, ended.err
    assert not (page / "data" / "index-7.js").exists()
    assert [path.name for path in bare.path.iterdir() if "page" in path.name] == ["page"]


def test_a_folder_that_is_no_page_is_left_alone(bare: Workplace) -> None:
    mine = bare.path / "mine"
    mine.mkdir()
    (mine / "index.html").write_text("<p>my own</p>")
    ended = bare.safejury("report", "runs/first", "--html", "mine", *ANY)
    ended.refused("mine is there and is no page of safejury", "left as it is")
    bare.safejury("report", "runs/first", "--html", "runs/first", *ANY).refused("is no page")
    bare.safejury("report", "runs/first", "--html", "queries.jsonl", *ANY).refused("is no page")
    assert (mine / "index.html").read_text() == "<p>my own</p>"
    assert [path.name for path in mine.iterdir()] == ["index.html"]


def test_what_somebody_put_into_a_page_is_not_lost(bare: Workplace) -> None:
    page = bare.path / "page"
    assert bare.safejury("report", "runs/first", "--html", "page", *ANY).code == 0
    (page / ".DS_Store").write_text("")  # nobody's work
    for name in ("notes.md", ".git/HEAD", "data/mine.csv", "assets/deep/own.js"):
        own = page / name
        own.parent.mkdir(exist_ok=True)
        own.write_text("my own work")
        ended = bare.safejury("report", "runs/first", "--html", "page", *ANY)
        ended.refused(f"page also holds {name}", "would be lost", "another folder")
        assert own.read_text() == "my own work"
        own.unlink()
        if own.parent.name in (".git", "deep"):
            own.parent.rmdir()
    assert bare.safejury("report", "runs/first", "--html", "page", *ANY).code == 0
    assert not (page / ".DS_Store").exists()


_KILLED = """
import os, signal, sys
from contextlib import closing
from pathlib import Path
from safejury.evaluation.figures import PALETTE
from safejury.evaluation.page import PageSource, piece, write_page

run, folder, moment = sys.argv[1:]
renames = []

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def look(event, _):
    if event == "os.rename":
        renames.append(event)
        if len(renames) == 2:
            kill()

sys.addaudithook(look)
with closing(PageSource([Path(run)])) as source:
    write_page(source, Path(folder), kill if moment == "writing" else lambda *_: None)
"""


@pytest.mark.parametrize("moment", ["writing", "swapping"])
def test_what_a_killed_process_left_is_cleared_up(bare: Workplace, moment: str) -> None:
    """Its words do not stay in a hidden folder, and the old page is not lost with it."""
    page, run = bare.path / "page", bare.path / "runs/first"
    assert bare.safejury("report", "runs/first", "--html", "page", *ANY).code == 0
    old = (page / "index.html").read_bytes()
    command = [sys.executable, "-P", "-c", _KILLED, run, page, moment]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert page.exists() is (moment == "writing")
    assert any(path.name.startswith(".page.") for path in bare.path.iterdir())
    with closing(PageSource([run])) as source, pytest.raises(KeyboardInterrupt):
        write_page(source, page, _interrupt)
    assert (page / "index.html").read_bytes() == old
    assert [path.name for path in bare.path.iterdir() if "page" in path.name] == ["page"]


def _interrupt(done: int, of: int) -> None:
    raise KeyboardInterrupt


@pytest.mark.skipif(sys.platform == "darwin", reason="its names of files are UTF-8")
def test_a_run_whose_name_is_no_utf_8_has_a_page(bare: Workplace) -> None:
    odd = os.fsdecode(b"runs/odd-\xff\xe2\x80\xae")
    (bare.path / "runs/first").rename(bare.path / odd)
    ended = bare.safejury("report", odd, "--html", "page", *ANY)
    assert ended.code == 0, ended.err
    (run,) = pieces(bare.path / "page")["overview"]["runs"]
    assert run["name"] == r"odd-\udcff\u202e"  # shown as what it is, and turns nothing around


def test_a_place_that_cannot_be_written_is_named(bare: Workplace) -> None:
    (bare.path / "file").write_text("")
    ended = bare.safejury("report", "runs/first", "--html", "file/page", *ANY)
    ended.refused("file/page cannot be written")


def test_what_is_interrupted_leaves_the_old_page(bare: Workplace) -> None:
    page = bare.path / "page"
    assert bare.safejury("report", "runs/first", "--html", "page", *ANY).code == 0
    before = {path: path.read_bytes() for path in page.rglob("*") if path.is_file()}
    source = PageSource([bare.path / "runs/first"])
    with closing(source), pytest.raises(KeyboardInterrupt):
        write_page(source, page, _interrupt)
    assert {path: path.read_bytes() for path in page.rglob("*") if path.is_file()} == before
    assert [path.name for path in bare.path.iterdir() if "page" in path.name] == ["page"]


def test_a_medium_that_is_gone_or_changed_shows_as_that(run: Workplace) -> None:
    media = run.path / "runs/first/media"
    sound, one, other = sorted(media.iterdir(), key=lambda path: path.read_bytes()[:1] != b"R")
    sound.unlink()
    one.write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    other.write_bytes(other.read_bytes() + b"more")
    ended = run.safejury("report", "runs/first", "--html", "page", *ANY)
    assert ended.code == 0, ended.err
    assert "16 cases, 3 pictures and sounds are gone or changed, and not in it." in ended.err
    cases = pieces(run.path / "page")["cases-0"]["cases"]
    why = {each["sha256"]: each["why"] for case in cases for each in case.get("media", ())}
    assert why == {
        sound.name: "its file is gone",
        one.name: "its bytes are of no kind that a page shows",
        other.name: "its file was changed after it was recorded",
    }
    assert not [*(run.path / "page").glob("media/*")]


def test_no_record_can_lead_a_page_to_other_files(run: Workplace) -> None:
    """A record may come from anybody, and name a file of this machine in place of a hash."""
    folder = run.path / "runs/first"
    picture = next(path for path in folder.glob("media/*") if path.read_bytes()[:4] == b"\x89PNG")
    shutil.copy(picture, folder / "elsewhere")
    with closing(sqlite3.connect(folder / "record.sqlite")) as database:
        name = "UPDATE entries SET body = replace(body, ?, '../elsewhere')"
        assert database.execute(name, [picture.name]).rowcount
        database.commit()
    with closing(PageSource([folder])) as source:
        found = piece(source, "cases-0")
    assert found is not None
    media = [each for case in found["cases"] for each in case.get("media", ())]
    (other,) = {each["why"] for each in media if each["sha256"] == "../elsewhere"}
    assert "not named by its SHA-256" in other
    assert not [each["name"] for each in media if "elsewhere" in each["name"]]


def test_a_record_that_was_changed_is_refused(run: Workplace) -> None:
    with closing(sqlite3.connect(run.path / "runs/first/record.sqlite")) as database:
        database.execute("UPDATE cases SET finding = 'safe' WHERE finding = 'unsafe'")
        database.commit()
    ended = run.safejury("report", "runs/first", "--html", "page", *ANY)
    ended.refused("were changed after they were recorded", code=3)
    assert not (run.path / "page").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--html", "page", "--format", "csv"), "give one of them"),
        (("--html", "page", "--format", "table"), "give one of them"),
        (("--without-texts",), "name its folder with --html"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    bare: Workplace, options: tuple[str, ...], said: str
) -> None:
    bare.safejury("report", "runs/first", *options).refused(said)
    assert not (bare.path / "page").exists()


def test_figures_fall_short_of_what_is_asked_for_as_in_other_reports(bare: Workplace) -> None:
    ended = bare.safejury("report", "runs/first", "--html", "page")
    assert ended.code == 3
    assert "Wrote page/index.html" in ended.err
    assert "Coverage is 0 % for examined" in ended.err


def test_a_run_without_verdicts_has_a_page_that_says_so(bare: Workplace) -> None:
    ended = bare.safejury("report", "runs/first", "--html", "page", *ANY)
    assert ended.code == 0, ended.err
    found = pieces(bare.path / "page")
    assert found["figures"] == {"figures": []}
    assert not (bare.path / "page" / "figures").exists()
    assert {each["asr"]["micro"] for each in found["overview"]["targets"]} == {None}
    cases = found["cases-0"]["cases"]
    assert [case["response"]["outcome"] for case in cases] == ["error"] * 3


def test_runs_of_one_jury_share_a_page_and_others_are_refused(
    workplace: Workplace, scripted: Start
) -> None:
    url = scripted(lambda body: ScriptedReply(status=400, text="no")).base_url  # pyright: ignore
    for name, talk in (("first", "vote"), ("second", "vote"), ("third", "contested")):
        target = [{"name": f"model-{name}", "base_url": url, "model": "target"}]
        config = workplace.config(url, run__name=name, targets=target, jury__protocol=talk)
        assert workplace.safejury("run", config, *ANY).code == 0
    ended = workplace.safejury("report", "runs/first", "runs/second", "--html", "page", *ANY)
    assert ended.code == 0, ended.err
    found = pieces(workplace.path / "page")
    assert [run["name"] for run in found["overview"]["runs"]] == ["first", "second"]
    columns = found["index-0"]["columns"]
    assert columns["run"] == {"values": [0, 1], "codes": [0, 0, 0, 1, 1, 1]}
    assert [case["run"] for case in found["cases-0"]["cases"]] == [0, 0, 0, 1, 1, 1]
    with closing(
        PageSource([workplace.path / f"runs/{name}" for name in ("first", "second")])
    ) as s:
        placed = [(run, result.case_id) for run, result, _ in s.results(0, 6)]
        assert len(placed) == s.count == 6
        for start, stop in combinations(range(8), 2):
            found = [(run, case.result.case_id) for run, case in s.cases(start, stop)]
            assert found == placed[start:stop], (start, stop)
    others = workplace.safejury("report", "runs/first", "runs/third", "--html", "other", *ANY)
    others.refused("judged by different juries", "talk is never and contested")
    assert not (workplace.path / "other").exists()


def test_without_matplotlib_a_page_has_all_but_charts_and_says_so(
    run: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ended = run.safejury("report", "runs/first", "--html", "page", *ANY)
    assert ended.code == 0, ended.err
    found = pieces(run.path / "page")
    assert found["figures"] == {"figures": []}
    assert found["overview"]["figures"] == []
    missing = found["overview"]["figures_missing"]
    assert missing.startswith("There are no charts on this page")
    assert "pip install 'safejury[figures]'" in missing
    assert found["overview"]["targets"][0]["asr"]["n"] == 4
