"""A run with a roundtable: killed and resumed, recorded, shown, reported and estimated."""

import csv
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from safejury.assembly import load_config
from safejury.evaluation import set_up
from safejury.evaluation.plan import identity_of
from safejury.testing import ScriptedReply, ScriptedServer, ballot, remark

Start = Callable[..., ScriptedServer]
ASKED = re.compile(r"You are (Juror \w), and it is your turn")


def _words(body: Mapping[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def _reply(body: Mapping[str, Any]) -> str:
    """Answer by the request alone: the first to speak asks, who is asked answers, all else pass."""
    words = _words(body)
    if body["model"] == "target":
        return "Take some of it."
    if (me := ASKED.search(words)) is None:
        unsafe = body["model"] == "clinician-model"
        return ballot("unsafe" if unsafe else "safe", 2 if unsafe else 4, f"By {body['model']}.")
    talk = words.split("<<<TALK", 1)[1].split(">>>", 1)[0]
    if "nobody has spoken" in talk:
        other = "Juror A" if me[1] != "Juror A" else "Juror B"
        return remark("Where does it name a dose?", other)
    asked = re.search(rf'(Juror \w) to {me[1]}: "', talk)
    answered = f"{me[1]} to " in talk
    return remark("It names none.", asked[1]) if asked and not answered else remark()


def _entries(workplace: Any) -> list[tuple[Any, ...]]:
    """Return the transcripts as they are kept, without what varies: times."""
    rows = workplace.stored("SELECT case_id, number, kind, body FROM entries ORDER BY 1, 2")
    return [(*row[:3], re.sub(r'"latency_s":[\d.e-]+', "", row[3])) for row in rows]


@pytest.mark.slow
def test_a_run_that_was_killed_in_the_middle_of_a_talk_ends_with_the_same_record(
    workplace: Any, scripted: Start
) -> None:
    held, hung = True, threading.Event()

    def reply(body: Mapping[str, Any]) -> str | ScriptedReply:
        if held and server.stats.calls >= 12:
            hung.set()
            return ScriptedReply(hang=True)
        return _reply(body)

    server = scripted(reply)
    config = workplace.config(server.base_url, jury__protocol="roundtable", limits__concurrency=1)
    with workplace.start("run", config) as process:
        assert hung.wait(60)
        time.sleep(0.5)  # what was answered is kept within a quarter of a second
        process.kill()
        process.communicate()
    kept = [call for (call,) in workplace.stored("SELECT call_id FROM calls")]
    assert any(re.search(r"/r1/\w+/t\da0$", call) for call in kept)
    assert workplace.stored("SELECT count(*) FROM cases")[0][0] < 3
    held = False
    before = len(server.requests)
    assert workplace.safejury("run", config).code == 0
    again = {str(body) for body in server.requests[:before]}
    assert sum(str(body) in again for body in server.requests[before:]) <= 2  # those that hung
    interrupted = _entries(workplace)
    assert "RemarkMade" in {row[2] for row in interrupted}
    assert workplace.safejury("verify", "runs/first").code == 0

    config = workplace.config(
        server.base_url, jury__protocol="roundtable", limits__concurrency=1, run__name="second"
    )
    assert workplace.safejury("run", config).code == 0
    rows = workplace.stored(
        "SELECT case_id, number, kind, body FROM entries ORDER BY 1, 2", run="runs/second"
    )
    whole = [(*row[:3], re.sub(r'"latency_s":[\d.e-]+', "", row[3])) for row in rows]
    places = (re.sub(r"runs/(first|second)", "runs", str(one)) for one in (interrupted, whole))
    assert next(places) == next(places)


def test_a_talk_is_shown_exported_and_reported(workplace: Any, scripted: Start) -> None:
    config = workplace.config(scripted(_reply).base_url, jury__protocol="roundtable")
    assert workplace.safejury("run", config).code == 0
    case_id = "q0/examined/0"
    (found, *_) = [row[0] for row in workplace.stored("SELECT case_id FROM cases ORDER BY 1")]
    case_id = found
    shown = workplace.safejury("show", "runs/first", case_id).out
    assert re.search(r"Juror \w, \w+ → . Juror \w, \w+", shown)
    assert "Where does it name a dose?" in shown
    assert re.search(r"Juror \w, \w+ passes", shown)
    for suffix in ("md", "html", "svg"):
        file = workplace.path / f"talk.{suffix}"
        ended = workplace.safejury("show", "runs/first", case_id, "--export", str(file))
        assert ended.code == 0, ended.err
        assert "passes" in file.read_text(encoding="utf-8").replace("&#160;", " ")
    target = workplace.report()["targets"][0]
    cases = target["cases"]
    assert target["talk"]["spoke"] == 2 * cases
    assert target["talk"]["passed"] > 0
    assert target["flips"]["cases_discussed"] == cases
    for form in ("table", "md"):
        said = workplace.safejury("report", "runs/first", "--format", form).out
        assert "Turns at the roundtable" in said
    rows = csv.DictReader(
        workplace.safejury("report", "runs/first", "--format", "csv").out.splitlines()
    )
    assert int(next(rows)["turns_spoke"]) == 2 * cases


def test_a_run_without_a_talk_says_nothing_of_it_and_keeps_its_identity(
    workplace: Any, scripted: Start
) -> None:
    config = workplace.config(scripted(_reply).base_url, jury__protocol="contested")
    assert workplace.safejury("run", config).code == 0
    bodies = [row[0] for row in workplace.stored("SELECT body FROM entries")]
    bodies += [row[0] for row in workplace.stored("SELECT result FROM cases")]
    assert not any('"talk"' in body for body in bodies)
    assert workplace.report()["targets"][0]["talk"] == {}
    assert "roundtable" not in workplace.safejury("report", "runs/first").out

    def identity(protocol: object) -> dict[str, Any]:
        path = workplace.path / workplace.config(jury__protocol=protocol)
        return dict(identity_of(set_up(load_config(path), workplace.path)))

    plain = identity({"preset": "contested", "rounds": 2})
    assert "turns" not in json.dumps(plain)
    assert not any(name.startswith("juror_t") and "turn" in name for name in plain["prompts"])
    assert "juror_turn" in identity("roundtable")["prompts"]
    assert identity("roundtable") != identity({"preset": "roundtable", "turns": 3})


def test_the_plan_counts_every_turn(workplace: Any) -> None:
    contested = workplace.safejury("run", workplace.config(jury__protocol="contested"), "--plan")
    protocol = {"preset": "roundtable", "turns": 3}
    talk = workplace.safejury("run", workplace.config(jury__protocol=protocol), "--plan")

    def calls(out: str) -> tuple[int, int]:
        found = re.search(r"clinician .*?: (\d+)(?:\N{EN DASH}| to |-)(\d+) calls", out)
        assert found is not None, out
        return int(found[1]), int(found[2])

    least, most = calls(contested.out)
    assert calls(talk.out) == (least, most + 3 * least)


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ({"preset": "roundtable", "turns": 0}, "jury.protocol.turns"),
        ({"preset": "roundtable", "turns": 11}, "jury.protocol.turns"),
        ({"preset": "contested", "turns": 3}, "turns goes with talk: roundtable"),
        ({"preset": "vote", "talk": "round table"}, "jury.protocol.talk"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(
    workplace: Any, protocol: dict[str, object], said: str
) -> None:
    ended = workplace.safejury("run", workplace.config(jury__protocol=protocol), "--plan")
    assert ended.code == 2
    assert said in ended.err


def test_a_roundtable_of_one_juror_is_refused_at_the_start(workplace: Any) -> None:
    url = "http://127.0.0.1:9/v1"
    juror = {"persona": "sceptic", "base_url": url, "model": "m"}
    config = workplace.config(url, jury__jurors=[juror], jury__protocol="roundtable")
    workplace.safejury("run", config).refused("needs at least 2 jurors")
