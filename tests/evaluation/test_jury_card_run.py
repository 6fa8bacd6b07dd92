"""Runs whose rule decides by a jury card, from the config to the report."""

import json
from collections.abc import Callable, Mapping
from math import exp
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jury_cards import hand_card

import safejury as sj
from safejury.assembly import load_config
from safejury.deliberation import JuryCard, card_sha256, write_card
from safejury.deliberation.protocol.card import (
    CardJury,
    Confusion,
    DecidedBy,
    Figure,
    Found,
    RuleScores,
)
from safejury.evaluation.plan import identity_of, set_up
from safejury.evaluation.record import jury_identity
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, Any]
TRUSTED = {
    "clinician": (3.0, -2.0, 0.0),
    "lawyer": (0.5, -0.5, 0.0),
    "sceptic": (0.25, -0.25, 0.0),
}
UNSAFE, SAFE = ballot("unsafe", 1), ballot("safe", 5)
LIKELY = 1 / (1 + exp(-(3.0 - 0.5 - 0.25)))
CALIBRATED = {"preset": "vote", "rule": "calibrated"}


NOWHERE = "http://127.0.0.1:9/v1"
LAWYER = {"name": "lawyer", "model": "lawyer-model", "base_url": NOWHERE}
COSTS = {"miss": 1, "false_alarm": 1}


def said_by(**said: str | ScriptedReply) -> Callable[[Body], str | ScriptedReply]:
    """Script the jurors, who find all safe unless another reply is given."""

    def reply(body: Body) -> str | ScriptedReply:
        model = body["model"]
        return "Like this." if model == "target" else said.get(model.split("-")[0], SAFE)

    return reply


ALONE = said_by(clinician=UNSAFE)
"""The clinician alone finds it unsafe."""


def seated(workplace: Any, **changes: object) -> CardJury:
    """Return the jury of a config, as a card knows it."""
    plan = set_up(load_config(workplace.path / workplace.config(**changes)), workplace.path)
    return jury_identity(identity_of(plan), plan.jury.infos)


def give(workplace: Any, card: JuryCard | None = None, **jury: object) -> JuryCard:
    """Write a card of the plain config's jury, or a given one, beside the config."""
    known = msgspec.structs.replace(card or hand_card(TRUSTED), jury=seated(workplace, **jury))
    write_card(known, workplace.path / "card.json")
    return known


def config_of(workplace: Any, url: str = NOWHERE, **changes: Any) -> str:
    settings = {"jury__protocol": CALIBRATED, "jury__card": "card.json", **changes}
    return workplace.config(url, **settings)


def verdicts(workplace: Any) -> list[tuple[Any, ...]]:
    return workplace.stored(
        "SELECT json_extract(body, '$.verdict.finding'), json_extract(body, '$.verdict.rule'), "
        "round(json_extract(body, '$.verdict.probability'), 9), "
        "json_extract(body, '$.verdict.reason') FROM entries WHERE kind = 'VerdictAnnounced' "
        "ORDER BY case_id"
    )


def test_a_card_turns_the_verdict_of_a_majority(workplace: Any, scripted: Start) -> None:
    """What it decides by is in the record, the report, the transcript and the cases."""
    card, url = give(workplace), scripted(reply=ALONE).base_url
    ended = workplace.safejury("run", config_of(workplace, url))
    assert ended.code == 0, ended.err
    rule = "calibrated (unsafe above 0.5)"
    assert verdicts(workplace) == [("unsafe", rule, round(LIKELY, 9), "")] * 3
    note = f"The rule is {rule}; the jury card is {card_sha256(card)[:12]} of 2026-11-27"
    assert f"Note: {note} (120 labeled cases, 30 of them unsafe)." in ended.err
    for form in ("json", "md", "csv"):
        report = workplace.safejury("report", "runs/first", "--format", form)
        assert note.replace(" ", "") in report.out.replace(" ", "").replace("\\", ""), report.out
    info = json.loads(workplace.safejury("report", "runs/first", "--format", "json").out)["run"]
    assert info["card"]["sha256"] == card_sha256(card)
    shown = workplace.safejury("show", "runs/first", "q1/examined/0").out
    assert f"probability of unsafe {LIKELY:.2f}" in shown
    (row, *_) = sj.load(workplace.path / "runs" / "first").cases()
    assert row["probability"] == pytest.approx(LIKELY)
    assert workplace.safejury("verify", "runs/first").code == 0


def test_the_best_juror_decides_a_run(workplace: Any, scripted: Start) -> None:
    give(workplace, hand_card(TRUSTED, best="sceptic"))
    reply = said_by(clinician=UNSAFE, lawyer=UNSAFE)
    protocol = {"preset": "vote", "rule": "best_juror"}
    config = config_of(workplace, scripted(reply=reply).base_url, jury__protocol=protocol)
    assert workplace.safejury("run", config).code == 0
    assert verdicts(workplace) == [("safe", "best_juror (sceptic)", None, "")] * 3


def test_a_lost_ballot_that_could_matter_leaves_no_verdict(workplace: Any, scripted: Start) -> None:
    give(workplace)
    reply = said_by(clinician=ScriptedReply(status=500))
    ended = workplace.safejury("run", config_of(workplace, scripted(reply=reply).base_url))
    assert ended.code == 3
    ((finding, _, likely, reason), *_) = verdicts(workplace)
    assert (finding, likely) == (None, None)
    assert reason.startswith("what is missing (clinician) could change the finding")


def test_a_lost_ballot_that_could_not_matter_takes_no_verdict_away(
    workplace: Any, scripted: Start
) -> None:
    give(workplace)
    reply = said_by(clinician=UNSAFE, sceptic=ScriptedReply(status=500))
    workplace.safejury("run", config_of(workplace, scripted(reply=reply).base_url))
    assert [each[0] for each in verdicts(workplace)] == ["unsafe"] * 3
    assert [each[2] for each in verdicts(workplace)] == [None] * 3


@pytest.mark.parametrize(
    ("settings", "finding"),
    [
        ({"threshold": 0.95}, "safe"),
        ({"cost": {"miss": 1, "false_alarm": 19}}, "safe"),
        ({"cost": {"miss": 1.0, "false_alarm": 1.0}}, "unsafe"),
    ],
    ids=str,
)
def test_a_config_moves_the_threshold(
    settings: dict[str, Any], finding: str, workplace: Any, scripted: Start
) -> None:
    give(workplace)
    protocol = {**CALIBRATED, **settings}
    config = config_of(workplace, scripted(reply=ALONE).base_url, jury__protocol=protocol)
    assert workplace.safejury("run", config).code == 0
    assert [each[0] for each in verdicts(workplace)] == [finding] * 3


def test_voting_stops_once_no_ballot_to_come_could_change_the_finding(
    workplace: Any, scripted: Start
) -> None:
    """Nobody outweighs the clinician, so that each case ends with its ballot."""
    give(workplace)
    server = scripted(reply=ALONE)
    protocol = {**CALIBRATED, "stop": "curtailed"}
    config = config_of(workplace, server.base_url, jury__protocol=protocol, run__seed=1)
    assert workplace.safejury("run", config).code == 0
    assert [each[0] for each in verdicts(workplace)] == ["unsafe"] * 3
    lasts = workplace.stored(
        "SELECT json_extract(body, '$.verdict.tally.unsafe'), "
        "json_extract(body, '$.verdict.tally.not_asked') FROM entries "
        "WHERE kind = 'VerdictAnnounced'"
    )
    assert all(unsafe == 1 for unsafe, _ in lasts)
    assert sum(not_asked or 0 for _, not_asked in lasts) == 12 - server.stats.calls > 0


def test_with_talk_a_run_says_that_probabilities_of_revotes_are_not_calibrated(
    workplace: Any, scripted: Start
) -> None:
    give(workplace)
    protocol = {"preset": "contested", "rule": "calibrated"}
    config = config_of(workplace, scripted(reply=ALONE).base_url, jury__protocol=protocol)
    ended = workplace.safejury("run", config)
    assert "what the rule makes of those ballots is not calibrated" in ended.err
    assert "not calibrated" in workplace.safejury("report", "runs/first", "--format", "md").out
    shown = workplace.safejury("show", "runs/first", "q1/examined/0", "--export", "case.md")
    assert shown.code == 0, shown.err
    exported = (workplace.path / "case.md").read_text("utf-8")
    assert f"- Probability of unsafe: {LIKELY:.2f} (round 0: {LIKELY:.2f})" in exported


@pytest.mark.parametrize("own", [{}, {"threshold": 0.2}, {"cost": COSTS}], ids=str)
def test_figures_at_the_cards_threshold_correct_no_run_at_another(
    own: Mapping[str, object], workplace: Any, scripted: Start
) -> None:
    known = Figure(0.9, (0.8, 0.95))
    scores = RuleScores(
        **dict.fromkeys(("sensitivity", "specificity", "f1", "kappa", "abstained"), known),
        confusion=Confusion(unsafe=Found(90, 10, 0), safe=Found(30, 270, 0)),
        protocol=DecidedBy("calibrated"),
    )
    give(workplace, msgspec.structs.replace(hand_card(TRUSTED), rules={"calibrated": scores}))
    url = scripted(reply=ALONE).base_url
    config = config_of(workplace, url, jury__protocol={**CALIBRATED, **own})
    assert workplace.safejury("run", config).code == 0
    ended = workplace.safejury("report", "runs/first", "--card", "card.json")
    if own:
        ended.refused("no figures of the protocol that decided the run")
    else:
        assert "no figures of the protocol" not in ended.err


def test_another_card_is_another_run(workplace: Any, scripted: Start) -> None:
    card, url = give(workplace), scripted(reply=ALONE).base_url
    config = config_of(workplace, url)
    assert workplace.safejury("run", config).code == 0
    assert workplace.safejury("run", config).code == 0  # the same card resumes it
    give(workplace, hand_card({**TRUSTED, "clinician": (0.1, -0.1, 0.0)}))
    config_of(workplace, url)
    ended = workplace.safejury("run", config)
    assert ended.code == 2
    assert f'configuration: card was "{card_sha256(card)[:12]}' in ended.err.splitlines()[-1]


def test_a_run_without_a_card_is_as_before_there_were_any(workplace: Any, scripted: Start) -> None:
    protocol = {"preset": "vote", "rule": "majority"}
    config = workplace.config(scripted(reply=ALONE).base_url, jury__protocol=protocol)
    assert workplace.safejury("run", config).code == 0
    rows = [
        *workplace.stored("SELECT body FROM entries"),
        *workplace.stored("SELECT result FROM cases"),
        *workplace.stored("SELECT value FROM meta"),
    ]
    for (text,) in rows:
        for word in ("card", "threshold", '"cost"', "initial_probability"):
            assert word not in text
    results = [text for (text,) in workplace.stored("SELECT result FROM cases")]
    assert not [text for text in results if "probability" in text]
    assert workplace.stored("SELECT 1 FROM meta WHERE key = 'card'") == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"jury__card": None}, ["rule: calibrated decides by what a jury card says", "jury.card"]),
        ({"jury__card": "gone.json"}, ["jury card", "gone.json"]),
        (
            {"jury__protocol": {**CALIBRATED, "threshold": 0.5, "cost": COSTS}},
            ["take one of them out"],
        ),
        ({"jury__protocol": {**CALIBRATED, "threshold": 1.5}}, ["jury.protocol.threshold"]),
        (
            {"jury__protocol": {**CALIBRATED, "cost": {"miss": 0, "false_alarm": 1}}},
            ["jury.protocol.cost.miss"],
        ),
        ({"jury__protocol": {"threshold": 0.5}}, ["threshold and cost go with rule: calibrated"]),
        (
            {"jury__card": None, "jury__protocol": "vote", "jury__card_of_another_jury": True},
            ["jury.card_of_another_jury says that any card will do, and there is none"],
        ),
        (
            {"jury__jurors__1__model": "another-model"},
            [
                "is of another jury: the juror 'lawyer' had the model 'lawyer-model' and has 'anot",
                "make a card of this jury with safejury calibrate",
                "or set jury.card_of_another_jury to true",
            ],
        ),
        (
            {"jury__jurors__1": {**LAWYER, "persona": "free_expression_advocate"}},
            ["the juror 'lawyer' had the persona 'lawyer' and has "],
        ),
        (
            {"jury__jurors__0__temperature": 0.7, "jury__max_tokens": 400},
            [
                "the juror 'clinician' had another sampling; it had another cap on the tokens",
            ],
        ),
        ({"jury__rubric": "own.md"}, ["it had another rubric"]),
        ({"jury__quotes": False}, ["it had another wording of its prompts"]),
        (
            {"jury__jurors__1__name": "barrister"},
            ["'barrister' is not on the card and the measured juror 'lawyer' is not seated"],
        ),
    ],
    ids=str,
)
def test_what_does_not_fit_the_card_is_refused_before_the_first_call(
    changes: dict[str, Any], said: list[str], workplace: Any
) -> None:
    give(workplace)
    (workplace.path / "own.md").write_text("Unsafe is what names a step.")
    workplace.safejury("run", config_of(workplace, **changes)).refused(*said)


def test_who_is_missing_of_the_card_is_named_even_where_another_jury_may_be(workplace: Any) -> None:
    give(workplace)
    jurors = [
        {"persona": name, "model": f"{name}-model", "base_url": NOWHERE}
        for name in ("clinician", "lawyer")
    ]
    protocol = {**CALIBRATED, "tie": "unsafe"}
    config = config_of(
        workplace,
        jury__jurors=jurors,
        jury__protocol=protocol,
        jury__card_of_another_jury=True,
    )
    workplace.safejury("run", config).refused("the measured juror 'sceptic' is not seated")


def test_a_card_of_another_jury_may_be_forced_and_the_report_says_so(
    workplace: Any, scripted: Start
) -> None:
    give(workplace)
    config = config_of(
        workplace,
        scripted(reply=ALONE).base_url,
        jury__jurors__1__model="another-model",
        jury__card_of_another_jury=True,
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 0
    note = "The jury card is of another jury, and its figures are a guess: the juror 'lawyer' had"
    assert note in ended.err
    report = workplace.safejury("report", "runs/first", "--format", "json").out
    assert note in "\n".join(json.loads(report)["run"]["notes"])


def test_a_card_of_votes_from_a_file_goes_by_names_alone(workplace: Any, scripted: Start) -> None:
    write_card(hand_card(TRUSTED), workplace.path / "card.json")
    url = scripted(reply=ALONE).base_url
    assert workplace.safejury("run", config_of(workplace, url)).code == 0


def test_deliberate_shows_how_likely_it_is(workplace: Any, scripted: Start) -> None:
    give(workplace)
    config = config_of(workplace, scripted(reply=ALONE).base_url)
    asked = ("--question", "How?", "--response", "So.", "--config", config)
    ended = workplace.safejury("deliberate", *asked)
    assert ended.code == 0, ended.err
    assert f"probability of unsafe {LIKELY:.2f}" in ended.out + ended.err


async def test_a_notebook_uses_a_card(workplace: Any, scripted: Start, tmp_path: Path) -> None:
    url = scripted(reply=ALONE).base_url
    give(workplace)
    models = {name: sj.endpoint(url, f"{name}-model", price=0) for name in TRUSTED}
    seats = [sj.seat(name, model) for name, model in models.items()]
    jury = sj.Jury.of(*seats, protocol="vote", rule="calibrated", card=workplace.path / "card.json")
    verdict = await sj.judge("How?", "So.", jury=jury)
    assert (verdict.finding, verdict.probability) == ("unsafe", pytest.approx(LIKELY))
    target = sj.target(sj.endpoint(url, "target", price=0), name="t")
    result = await sj.evaluate("mini", targets=[target], jury=jury, limit=2, directory=tmp_path)
    assert [row["verdict"] for row in result.cases()] == ["unsafe"] * 2
    warm = [sj.seat("lawyer", models["lawyer"], temperature=0.7), seats[0], seats[2]]
    other = sj.Jury.of(*warm, protocol="vote", rule="calibrated", card=hand_card_of(workplace))
    with pytest.raises(sj.ConfigurationError, match="'lawyer' had another sampling"):
        await sj.evaluate("mini", targets=[target], jury=other, limit=2, directory=tmp_path / "2")
    with pytest.raises(sj.ConfigurationError, match="had the model 'clinician-model' and has"):
        sj.Jury.of("clinician", *seats[1:], model=models["lawyer"], card=hand_card_of(workplace))


def hand_card_of(workplace: Any) -> JuryCard:
    return sj.read_card(workplace.path / "card.json")
