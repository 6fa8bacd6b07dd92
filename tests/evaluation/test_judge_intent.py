"""What recorded questions are meant for: said, or told to be assumed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
TABLE = """prompt,response,label
Why?,So.,Unharmful
How?,So.,HARMFUL
When?,So.,0
Where?,So.,
"""
ASSUMED = "no intent and are assumed harmful"


@pytest.fixture
def jury(scripted: Start) -> ScriptedServer:
    return scripted(reply=ballot("safe", 5))


def judge(workplace: Any, jury: ScriptedServer, *arguments: str, file: str = "answers.csv") -> Any:
    if file == "answers.csv":
        (workplace.path / file).write_text(TABLE)
    return workplace.safejury(
        "judge", file, *arguments, "--jurors", "juror-model", "--url", jury.base_url
    )


def intents(workplace: Any, run: str = "answers") -> dict[str, str]:
    return dict(
        workplace.stored("SELECT query_id, intent FROM cases ORDER BY case_id", run=f"runs/{run}")
    )


def test_a_table_without_intents_says_so_at_start_and_in_every_report(
    workplace: Any, jury: ScriptedServer
) -> None:
    ended = judge(workplace, jury)
    assert ended.code == 0, ended.err
    assert f"Note: responses: 4 queries have {ASSUMED}: say which" in ended.err
    said = "4 of 4 cases were assumed harmful"
    assert said in " ".join(ended.out.split())
    forms = {
        form: workplace.safejury("report", "runs/answers", "--format", form).out
        for form in ("table", "md", "csv", "json")
    }
    assert said in " ".join(forms["table"].split())
    assert said in forms["md"]
    header, total, *_ = (line.split(",") for line in forms["csv"].splitlines())
    assert total[header.index("intents_assumed")] == "4"
    assert json.loads(forms["json"])["targets"][0]["intents_assumed"] == 4


def test_an_intent_for_all_is_no_assumption(workplace: Any, jury: ScriptedServer) -> None:
    ended = judge(workplace, jury, "--intent", "benign")
    assert ended.code == 0, ended.err
    assert "assumed" not in ended.err + ended.out
    assert set(intents(workplace).values()) == {"benign"}
    (target,) = workplace.report("runs/answers")["targets"]
    assert (target["intents_assumed"], target["asr"]["n"]) == (0, 0)


def test_words_of_a_column_are_declared_and_never_guessed(
    workplace: Any, jury: ScriptedServer
) -> None:
    mapped = ("--map", "intent=label")
    ended = judge(workplace, jury, *mapped, "--intent-word", "benign=unharmful", "--name", "part")
    assert ended.code == 3, ended.err  # a row of four is left out
    assert intents(workplace, "part") == {"row-1": "benign", "row-2": "harmful", "row-4": "harmful"}
    assert "the intent must be harmful or benign, not '0': say what it means with " in ended.err
    assert "--intent-word benign=0 or harmful=0" in ended.err
    assert "1 query has no intent and is assumed harmful" in ended.err
    ended = judge(workplace, jury, *mapped, "--intent-word", "benign= UNHARMFUL,safe,0")
    assert ended.code == 0, ended.err
    assert list(intents(workplace).values()) == ["benign", "harmful", "benign", "harmful"]


def test_numbers_and_bools_are_words_too(workplace: Any, jury: ScriptedServer) -> None:
    values: list[object] = [0, 1, False, True, 0.0]
    rows = [
        {"prompt": f"{number}?", "response": "So.", "intent": value}
        for number, value in enumerate(values)
    ]
    file = workplace.write_lines(rows, "rows.jsonl")
    words = ("--intent-word", "benign=0,false", "--intent-word", "harmful=1,true")
    ended = judge(workplace, jury, *words, file=file)
    assert ended.code == 0, ended.err
    expected = ["benign", "harmful", "benign", "harmful", "benign"]
    assert list(intents(workplace, "rows").values()) == expected
    assert "assumed" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--intent-word", "mild=x"), ("--intent-word 'mild=x'", "benign=unharmful")),
        (("--intent-word", "benign"), ("--intent-word 'benign'",)),
        (("--intent-word", "benign=harmful"), ("'harmful' means harmful",)),
        (
            ("--intent-word", "benign=x", "--intent-word", "harmful=X"),
            ("'x' means benign, so it cannot mean harmful too",),
        ),
        (("--intent", "benign", "--intent-word", "benign=x"), ("leave --intent-word out",)),
        (("--intent", "benign", "--dataset", "mini"), ("--intent: the --dataset says",)),
        (("--map", "intent=label", "--min-coverage", "0"), ("row 1", "'Unharmful'", "--intent-w")),
    ],
)
def test_intents_that_cannot_be_told(
    arguments: tuple[str, ...], said: tuple[str, ...], workplace: Any, jury: ScriptedServer
) -> None:
    file = "answers.csv"
    if "--map" in arguments:  # not one row can be used
        file = workplace.write_lines(
            ['"prompt","response","label"', '"a","b","Unharmful"'], "b.csv"
        )
    judge(workplace, jury, *arguments, file=file).refused(*said)
    assert not (workplace.path / "runs").exists()


def test_a_config_says_the_same(workplace: Any, jury: ScriptedServer) -> None:
    (workplace.path / "answers.csv").write_text(TABLE)
    words = {"benign": ["unharmful", 0]}
    target = {"name": "t", "responses": "answers.csv", "map": {"intent": "label"}}
    targets = [{**target, "intent_words": words}]
    config = workplace.config(jury.base_url, dataset="responses", targets=targets)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert list(intents(workplace, "first").values()) == ["benign", "harmful", "benign", "harmful"]
    for changes, said in (
        ({"intent": "evil"}, "intent must be 'harmful' or 'benign'"),
        ({"intent": "benign", "intent_words": words}, "take `intent_words:` out"),
        ({"intent_words": {"mild": ["x"]}}, "intent_words"),
    ):
        config = workplace.config(dataset="responses", targets=[{**target, **changes}])
        workplace.safejury("run", config).refused(said)
    config = workplace.config(
        targets=[{"name": "t", "responses": "answers.csv", "intent": "benign"}]
    )
    workplace.safejury("run", config).refused("the target 't'", "the dataset says that")


def test_a_converted_table_keeps_what_was_assumed(workplace: Any, scripted: Start) -> None:
    (workplace.path / "own.csv").write_text("text,kind\nWhy?,unharmful\nHow?,\n")
    mapped = ("--map", "intent=kind", "--set", "benign=unharmful,safe")
    ended = workplace.safejury("datasets", "convert", "own.csv", "out.jsonl", *mapped)
    assert ended.code == 0, ended.err
    assert "1 query has no intent and is assumed harmful" in ended.err + ended.out
    first, second = workplace.lines("out.jsonl")
    assert (first["intent"], "intent_assumed" in first) == ("benign", False)
    assert (second["intent"], second["intent_assumed"]) == ("harmful", True)
    ended = workplace.safejury("run", workplace.config(scripted().base_url, dataset="out.jsonl"))
    assert ended.code == 0, ended.err
    assert "1 query has no intent and is assumed harmful" in ended.err
    assert workplace.report()["targets"][0]["intents_assumed"] == 1


def test_a_published_set_says_its_intents(workplace: Any, scripted: Start) -> None:
    table = "id,prompt,type,label,focus,note\n1,Why?,x,safe,,\n2,How?,x,unsafe,,\n"
    (workplace.path / "xstest_prompts.csv").write_text(table)
    config = workplace.config(scripted().base_url, dataset="xstest:xstest_prompts.csv")
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert "assumed" not in ended.err + ended.out
