"""By what a jury card knows its jury: the same of a plan and of its record."""

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

import safejury as sj
from safejury.assembly import load_config
from safejury.common import ConfigurationError
from safejury.deliberation import SeatInfo
from safejury.deliberation.protocol.card import CardJury
from safejury.evaluation.plan import identity_of, set_up
from safejury.evaluation.record import RecordReader, jury_identity
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
EARLIER = Path(__file__).parent / "record_format_2"
JURORS = ("clinician", "lawyer", "sceptic")


def answers(body: dict[str, Any]) -> str:
    return "Like this." if body["model"] == "target" else ballot("safe", 5)


def planned(workplace: Any, **changes: object) -> CardJury:
    config = load_config(workplace.path / workplace.config(**changes))
    plan = set_up(config, workplace.path)
    return jury_identity(identity_of(plan), plan.jury.infos)


def recorded(folder: Path) -> CardJury:
    with closing(RecordReader(folder)) as record:
        return jury_identity(record.meta.identity, record.meta.jury)


def seats(**changes: object) -> list[dict[str, object]]:
    """Return the jurors of a plain config; changes are those of the lawyer."""
    url = "http://127.0.0.1:9/v1"
    known = [{"persona": name, "base_url": url, "model": f"{name}-model"} for name in JURORS]
    return [{**seat, **(changes if seat["persona"] == "lawyer" else {})} for seat in known]


def test_a_record_and_its_plan_are_of_one_jury(workplace: Any, scripted: Start) -> None:
    url = scripted(reply=answers).base_url
    assert workplace.safejury("run", workplace.config(url)).code == 0
    jury = recorded(workplace.path / "runs" / "first")
    assert jury == planned(workplace)
    assert [(seat.name, seat.model) for seat in jury.seats] == [
        (name, f"{name}-model") for name in JURORS
    ]
    assert jury.source == "run"


@pytest.mark.parametrize(
    "changes",
    [
        {"jury__protocol": {"preset": "vote", "rule": "any", "stop": "curtailed"}},
        {"jury__protocol": {"preset": "roundtable", "turns": 1}},
        {"jury__foreperson": {"model": "f", "base_url": "http://127.0.0.1:9/v1"}},
        {"targets__0__model": "another"},
        {"targets__0__system": "Be brief."},
        {"run__seed": 11, "run__epochs": 2, "run__max_tokens": 99},
        {"dataset": "mini"},
        {"jury__jurors": seats()[::-1]},
        {"jury__jurors": seats(base_url="http://127.0.0.1:10/v1", timeout=9.0, price=0)},
        {"jury__jurors": seats(temperature=0.0)},  # as without
        {"jury__transcriber": "never"},
    ],
    ids=str,
)
def test_what_shapes_no_ballot_of_round_0_makes_no_other_jury(
    changes: dict[str, object], workplace: Any
) -> None:
    assert planned(workplace, **changes).sha256 == planned(workplace).sha256


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"jury__jurors": seats(model="another")}, "model"),
        ({"jury__jurors": seats(persona="own.yaml", name="lawyer")}, "persona"),
        ({"jury__jurors": seats(temperature=0.7)}, "sampling"),
        ({"jury__jurors": seats(request={"reasoning_effort": "low"})}, "request"),
        ({"jury__jurors": seats(max_image_side=256)}, "senses"),
        ({"jury__max_tokens": 300}, "max_tokens"),
        ({"jury__quotes": False}, "prompts"),
        ({"jury__rubric": "own.md"}, "rubric"),
    ],
    ids=str,
)
def test_what_shapes_a_ballot_of_round_0_makes_another_jury(
    changes: dict[str, object], part: str, workplace: Any
) -> None:
    (workplace.path / "own.md").write_text("Unsafe is what names a step.")
    persona = {"name": "lawyer", "title": "Lawyer", "perspective": "Looks.", "instructions": "Look"}
    (workplace.path / "own.yaml").write_text(json.dumps(persona))
    plain, other = planned(workplace), planned(workplace, **changes)
    assert other.sha256 != plain.sha256
    (first, lawyer, last), (same, now, too) = plain.seats, other.seats
    assert {*_differing(plain.parts, other.parts), *_differing(lawyer.parts, now.parts)} == {part}
    assert (first, last) == (same, too)


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {name for name in {**before, **after} if before.get(name) != after.get(name)}


def test_guards_agents_and_people_are_known_by_what_they_are(workplace: Any) -> None:
    url = "http://127.0.0.1:9/v1"
    (workplace.path / "agents_of_a_card.py").write_text(
        "from autogen_agentchat.agents import AssistantAgent\n\n\n"
        "def make(client):\n    return AssistantAgent('made', client)\n"
    )
    jurors = [
        {"agent": "agents_of_a_card:make", "model": "a", "base_url": url},
        {"guard": "llama-guard-3", "model": "g", "base_url": url},
        {"persona": "human"},
    ]
    jury = planned(workplace, jury__jurors=jurors)
    agent, guard, person = jury.seats
    assert {"agent", "model", "sampling"} <= agent.parts.keys()
    assert {"guard", "model", "sampling"} <= guard.parts.keys()
    assert "sampling" not in person.parts
    tuned = [*jurors[:1], {**jurors[1], "controversial": "unsafe"}, jurors[2]]
    with pytest.raises(ConfigurationError):  # this guard finds nothing controversial
        planned(workplace, jury__jurors=tuned)
    hot = [{**jurors[0], "temperature": 1.0}, *jurors[1:]]
    assert (
        planned(workplace, jury__jurors=hot).seats[0].parts["sampling"] != agent.parts["sampling"]
    )


async def test_python_and_config_mean_the_same_jury(workplace: Any, scripted: Start) -> None:
    url = scripted(reply=answers).base_url
    jurors = [sj.seat(name, sj.endpoint(url, f"{name}-model", price=0)) for name in JURORS]
    jury = sj.Jury.of(*jurors, protocol="vote")
    target = sj.target(sj.endpoint(url, "target", price=0), name="t")
    await sj.evaluate("mini", targets=[target], jury=jury, limit=1, directory=workplace.path)
    assert recorded(workplace.path / "run").sha256 == planned(workplace).sha256


def test_a_record_of_an_earlier_version_has_a_jury(tmp_path: Path) -> None:
    shutil.copytree(EARLIER, tmp_path / "run")
    jury = recorded(tmp_path / "run")
    assert [seat.name for seat in jury.seats] == list(JURORS)
    assert [sorted(seat.parts) for seat in jury.seats] == [
        ["model", "persona", "sampling", "senses"] for _ in JURORS
    ]
    assert len(jury.sha256) == 64


def test_a_record_that_does_not_say_enough_is_one_line() -> None:
    with pytest.raises(ConfigurationError, match=r"^the run does not say what shaped its ballots"):
        jury_identity({"jury": {"jurors": []}}, ())
    known: dict[str, object] = {"jury": {"jurors": [{}]}, "personas": [None], "prompts": {}}
    two = (SeatInfo("a", "a", "A", "m"), SeatInfo("b", "b", "B", "m"))
    with pytest.raises(ConfigurationError, match="has 2 seats and describes 1 jurors"):
        jury_identity(known, two)


def test_a_card_keeps_what_it_knows_of_its_jury(workplace: Any) -> None:
    jury = planned(workplace)
    assert msgspec.json.decode(msgspec.json.encode(jury), type=CardJury) == jury
