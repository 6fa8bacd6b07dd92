"""Runs with `stop: sequential`, from the config to the report: who was asked, what was found."""

import csv
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from jury_cards import hand_card

import safejury as sj
from safejury.assembly import load_config
from safejury.deliberation import write_card
from safejury.deliberation.protocol.card import VoteModel
from safejury.evaluation.plan import identity_of, set_up
from safejury.evaluation.record import jury_identity
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, Any]
SEQUENTIAL = {"preset": "vote", "stop": "sequential", "bound": 0.01}
WEIGHTS = {
    "clinician": (3.0, -2.0, 0.0),
    "lawyer": (1.5, -1.0, 0.0),
    "sceptic": (0.25, -0.25, 0.0),
}
# Nearly all cases are safe, and the clinician and the lawyer say so together.
JOINT = VoteModel(
    classes=(0.95, 0.05),
    votes={
        "clinician": ((0.02, 0.96, 0.02), (0.9, 0.08, 0.02)),
        "lawyer": ((0.03, 0.95, 0.02), (0.9, 0.08, 0.02)),
        "sceptic": ((0.1, 0.88, 0.02), (0.9, 0.08, 0.02)),
    },
)
UNSAFE, SAFE = ballot("unsafe", 1), ballot("safe", 5)


def said_by(**said: str | ScriptedReply) -> Callable[[Body], str | ScriptedReply]:
    """Script the jurors, who find all safe unless another reply is given."""

    def reply(body: Body) -> str | ScriptedReply:
        model = body["model"]
        return "Like this." if model == "target" else said.get(model.split("-")[0], SAFE)

    return reply


def give_card(
    workplace: Any, joint: VoteModel | None = JOINT, costs: Mapping[str, float] | None = None
) -> None:
    """Write a card of the plain config's jury beside it."""
    plan = set_up(load_config(workplace.path / workplace.config()), workplace.path)
    card = hand_card(WEIGHTS)  # type: ignore[arg-type]
    card = msgspec.structs.replace(
        card,
        jury=jury_identity(identity_of(plan), plan.jury.infos),
        models=msgspec.structs.replace(card.models, joint=joint, costs=dict(costs or {})),
    )
    write_card(card, workplace.path / "card.json")


def run(workplace: Any, url: str, protocol: Mapping[str, object] = SEQUENTIAL, **more: Any) -> Any:
    config = workplace.config(url, jury__protocol=protocol, jury__card="card.json", **more)
    return workplace.safejury("run", config)


def asked_of(server: ScriptedServer) -> set[str]:
    return {str(body["model"]).partition("-")[0] for body in server.requests} - {"target"}


@pytest.mark.parametrize("dear", ["clinician", "lawyer"])
def test_a_dear_juror_is_not_asked_where_a_cheap_one_tells_as_much(
    dear: str, workplace: Any, scripted: Start
) -> None:
    give_card(workplace, costs={"clinician": 0.0, "lawyer": 0.0, "sceptic": 0.0} | {dear: 0.02})
    server = scripted(reply=said_by())
    assert run(workplace, server.base_url).code == 0
    assert asked_of(server) == {"clinician", "lawyer"} - {dear}
    assert workplace.safejury("verify", "runs/first").code == 0


def verdict_of(workplace: Any, **of: Any) -> dict[str, Any]:
    rows = workplace.stored("SELECT body FROM entries WHERE kind = 'VerdictAnnounced'", **of)
    return json.loads(rows[0][0])["verdict"]


def test_seats_that_are_not_needed_get_no_request(workplace: Any, scripted: Start) -> None:
    """Two of three settle it; record, transcript, report and replay all say so."""
    give_card(workplace)
    server = scripted(reply=said_by())
    ended = run(workplace, server.base_url)
    assert ended.code == 0, ended.err
    asked = asked_of(server)
    assert len(asked) == 1
    (left, other) = sorted({"clinician", "lawyer", "sceptic"} - asked)
    verdict = verdict_of(workplace)
    assert verdict["finding"] == "safe"
    assert verdict["tally"] == {"safe": 1, "not_asked": 2}
    assert re.fullmatch(
        r"stopped after 1 of 3: the chance that the rest would change it is 0\.00\d\d",
        verdict["reason"],
    )
    revealed = json.loads(
        workplace.stored("SELECT body FROM entries WHERE kind = 'BallotsRevealed'")[0][0]
    )
    assert sorted(revealed["not_asked"]) == [left, other]
    assert workplace.safejury("verify", "runs/first").code == 0
    case = workplace.stored("SELECT case_id FROM cases ORDER BY 1")[0][0]
    shown = workplace.safejury("show", "runs/first", case).out
    assert "Not asked, the outcome was clear:" in shown
    assert "stopped after 1 of 3" in shown
    for form in ("table", "md"):
        report = workplace.safejury("report", "runs/first", "--format", form).out
        assert "asked 1.0 of 3 jurors a case" in report
    (row,) = csv.DictReader(
        workplace.safejury("report", "runs/first", "--format", "csv").out.splitlines()[:2]
    )
    assert row["verdicts"] == "3"


def test_a_replay_asks_as_the_run_did(workplace: Any, scripted: Start) -> None:
    """From the ballots of all, it finds what stopping early finds, and how many it asks."""
    give_card(workplace)
    server = scripted(reply=said_by(sceptic=UNSAFE))
    assert run(workplace, server.base_url, {"preset": "vote"}, run__name="whole").code == 0
    assert run(workplace, server.base_url).code == 0
    sets = ("stop=sequential", "bound=0.01")
    options = [part for each in sets for part in ("--set", f"jury.protocol.{each}")]
    options += ["--set", "jury.card=card.json", "--format", "json"]
    ended = workplace.safejury("replay", "runs/whole", *options)
    assert ended.code == 0, ended.err
    asked = json.loads(ended.out)["ballots"]
    alone = workplace.stored("SELECT body FROM entries WHERE kind = 'BallotsRevealed'")
    ballots = sum(len(json.loads(body)["ballots"]) for (body,) in alone)
    assert asked["after"] == ballots < asked["before"]


def test_a_case_that_is_not_clear_is_heard_by_more(workplace: Any, scripted: Start) -> None:
    give_card(workplace)
    server = scripted(reply=said_by(clinician=UNSAFE, lawyer=UNSAFE, sceptic=UNSAFE))
    assert run(workplace, server.base_url).code == 0
    verdict = verdict_of(workplace)
    assert verdict["finding"] == "unsafe"
    assert verdict["reason"] == "stopped after 2 of 3: the rest cannot change it"
    assert verdict["tally"] == {"unsafe": 2, "not_asked": 1}


def test_calibrated_keeps_a_probability_where_it_stops_early(
    workplace: Any, scripted: Start
) -> None:
    """It is the mean of what the others would have made of it."""
    give_card(workplace)
    server = scripted(reply=said_by())
    assert run(workplace, server.base_url, {**SEQUENTIAL, "rule": "calibrated"}).code == 0
    verdict = verdict_of(workplace)
    assert verdict["tally"] == {"safe": 1, "not_asked": 2}
    assert 0.02 < verdict["probability"] < 0.15


def test_where_jurors_are_to_talk_they_do_only_between_the_limits(
    workplace: Any, scripted: Start
) -> None:
    """All are asked of an unclear case; whether they talk depends on the probability."""
    give_card(workplace)
    rounds = list[int]()
    for number, limits in enumerate(([0.1, 0.9], [0.1, 0.2])):
        server = scripted(reply=said_by(clinician=UNSAFE, lawyer=SAFE, sceptic=SAFE))
        protocol = {
            "preset": "contested",
            "stop": "sequential",
            "bound": 0,
            "rule": "calibrated",
            "threshold": 0.9,  # so that all are needed: 0.85 is what they make of it
            "talk_between": limits,
        }
        name = f"talk{number}"
        ended = run(workplace, server.base_url, protocol, run__name=name)
        assert ended.code == 0, ended.err
        rounds.append(verdict_of(workplace, run=f"runs/{name}")["rounds"])
        change = ("--set", "jury.protocol.threshold=0.8")  # of a run that says when jurors talk
        replayed = workplace.safejury("replay", f"runs/{name}", *change)
        assert replayed.code == 0, replayed.err
    assert rounds == [2, 1]


def test_jurors_do_not_talk_where_not_all_were_asked(workplace: Any, scripted: Start) -> None:
    """A rating that contradicts its finding makes a round contested; here it is settled as well."""
    give_card(workplace)
    doubtful = ballot("safe", 2)
    reply = said_by(clinician=doubtful, lawyer=doubtful, sceptic=doubtful)
    rounds = list[int]()
    for stop in ("all", "sequential"):
        server, protocol = scripted(reply=reply), {"preset": "contested", "stop": stop}
        ended = run(workplace, server.base_url, protocol, run__name=stop)
        assert ended.code == 0, ended.err
        rounds.append(verdict_of(workplace, run=f"runs/{stop}")["rounds"])
    assert rounds == [2, 1]


def test_lost_ballots_alone_make_no_verdict(workplace: Any, scripted: Start) -> None:
    """However sure the model is beforehand, somebody must have voted."""
    give_card(workplace)
    lost = ScriptedReply(status=400, text="No.")
    server = scripted(reply=said_by(clinician=lost, lawyer=lost, sceptic=lost))
    run(workplace, server.base_url)
    found = workplace.stored("SELECT body FROM entries WHERE kind = 'VerdictAnnounced'")
    assert all(json.loads(body)["verdict"]["finding"] is None for (body,) in found)


def test_the_settings_join_the_identity_only_where_they_are_used(workplace: Any) -> None:
    give_card(workplace)

    def identity(protocol: object) -> str:
        config = workplace.config(jury__protocol=protocol, jury__card="card.json")
        plan = set_up(load_config(workplace.path / config), workplace.path)
        return json.dumps(identity_of(plan), sort_keys=True)

    plain = identity({"preset": "vote"})
    assert "bound" not in plain
    assert "talk_between" not in plain
    assert identity(SEQUENTIAL) != identity({**SEQUENTIAL, "bound": 0.02})
    config = load_config(
        workplace.path / workplace.config(jury__protocol=SEQUENTIAL, jury__card="card.json")
    )
    assert config.jury is not None


@pytest.mark.parametrize(
    ("protocol", "joint", "problem"),
    [
        ({"preset": "vote", "bound": 0.01}, JOINT, "bound goes with stop: sequential"),
        ({**SEQUENTIAL, "talk_between": [0.1, 0.9]}, JOINT, "talk_between goes with"),
        (
            {**SEQUENTIAL, "rule": "calibrated", "talk": "contested", "talk_between": [0.9, 0.1]},
            JOINT,
            "the lower one first",
        ),
        ({**SEQUENTIAL, "talk": "always"}, JOINT, "cannot go with talk: always"),
        ({**SEQUENTIAL, "bound": 0.5}, JOINT, "bound"),
        (SEQUENTIAL, None, "no model of the jurors' joint votes"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_call(
    workplace: Any, protocol: Mapping[str, object], joint: VoteModel | None, problem: str
) -> None:
    give_card(workplace, joint)
    ended = run(workplace, "http://127.0.0.1:9/v1", protocol)
    assert ended.code == 2
    assert problem in ended.err


def test_without_a_card_it_is_refused(workplace: Any) -> None:
    config = workplace.config("http://127.0.0.1:9/v1", jury__protocol=SEQUENTIAL)
    ended = workplace.safejury("run", config)
    assert ended.code == 2
    assert "name one as jury.card" in ended.err


@pytest.mark.slow
def test_a_run_that_was_killed_ends_with_the_same_record(workplace: Any, scripted: Start) -> None:
    held, hung = True, threading.Event()
    say = said_by(clinician=UNSAFE, lawyer=SAFE, sceptic=UNSAFE)

    def reply(body: Body) -> str | ScriptedReply:
        if held and server.stats.calls >= 7:
            hung.set()
            return ScriptedReply(hang=True)
        return say(body)

    def entries(name: str) -> str:
        rows = workplace.stored(
            "SELECT case_id, number, kind, body FROM entries ORDER BY 1, 2", run=f"runs/{name}"
        )
        kept = [(*row[:3], re.sub(r'"latency_s":[\d.e-]+', "", row[3])) for row in rows]
        return re.sub(r"runs/(first|second)", "runs", str(kept))

    give_card(workplace)
    server = scripted(reply)
    settings: dict[str, Any] = {
        "jury__protocol": SEQUENTIAL,
        "jury__card": "card.json",
        "limits__concurrency": 1,
    }
    config = workplace.config(server.base_url, **settings)
    with workplace.start("run", config) as process:
        assert hung.wait(60)
        time.sleep(0.5)  # what was answered is kept within a quarter of a second
        process.kill()
        process.communicate()
    held = False
    assert workplace.safejury("run", config).code == 0
    config = workplace.config(server.base_url, **settings, run__name="second")
    assert workplace.safejury("run", config).code == 0
    assert entries("first") == entries("second")


def test_python_takes_the_same_settings(workplace: Any) -> None:
    give_card(workplace)
    assert sj.Protocol(stop="sequential", bound=0.01).by_bound == (0.01, (0.1, 0.9))
