"""How a run's models draw their words: the jury is greedy, the target is as configured."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from safejury.assembly import load_config
from safejury.evaluation import set_up
from safejury.evaluation.plan import identity_of
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]


def _says(body: Mapping[str, object]) -> str:
    return "An answer." if body["model"] in ("target", "presiding") else ballot("safe", 5)


def _drawn(server: ScriptedServer) -> dict[object, tuple[object, object]]:
    return {body["model"]: (body.get("temperature"), body.get("top_p")) for body in server.requests}


def test_jurors_and_foreperson_are_greedy_and_the_target_is_left_alone(
    workplace: Any, scripted: Start
):
    server = scripted(_says)
    foreperson = {"base_url": server.base_url, "model": "presiding"}
    protocol = {"talk": "always", "summary": "always"}
    config = workplace.config(
        server.base_url, limit=1, jury__foreperson=foreperson, jury__protocol=protocol
    )
    assert workplace.safejury("run", config).code == 0
    greedy = dict.fromkeys(
        ("clinician-model", "lawyer-model", "sceptic-model", "presiding"), (0.0, None)
    )
    assert _drawn(server) == {"target": (None, None), **greedy}
    seeds = {body["model"]: body["seed"] for body in server.requests}
    assert seeds["presiding"] == seeds["lawyer-model"]


def test_what_the_config_or_a_persona_sets_wins(workplace: Any, scripted: Start):
    server = scripted(_says)
    (workplace.path / "mine.yaml").write_text(
        "name: mine\ntitle: Mine\nperspective: Looks.\ninstructions: Look.\n"
        "sampling: {temperature: 0.3}\n"
    )
    config = workplace.config(
        server.base_url,
        limit=1,
        jury__jurors__0__temperature=0.7,
        jury__jurors__1__top_p=0.9,
        jury__jurors__2__persona="./mine.yaml",
        jury__foreperson={"base_url": server.base_url, "model": "presiding", "temperature": 0.8},
        jury__protocol={"talk": "always", "summary": "always"},
    )
    assert workplace.safejury("run", config).code == 0
    assert _drawn(server) == {
        "target": (None, None),
        "clinician-model": (0.7, None),
        "lawyer-model": (None, 0.9),
        "sceptic-model": (0.3, None),
        "presiding": (0.8, None),
    }


def test_the_identity_of_a_run_says_how_its_jury_draws(workplace: Any):
    config = Path(workplace.config(jury__jurors__0__temperature=0.7))
    greedy = {"temperature": 0.0, "top_p": None}
    assert identity_of(set_up(load_config(config), Path()))["sampling"] == {
        "jurors": [{"temperature": 0.7, "top_p": None}, greedy, greedy],
        "foreperson": {"temperature": None, "top_p": None},
    }


def test_a_run_that_was_drawn_otherwise_is_not_continued(workplace: Any, scripted: Start):
    """A record of a time when jurors drew by their providers' defaults does not know how."""
    config = workplace.config(scripted(_says).base_url, limit=1)
    assert workplace.safejury("run", config).code == 0
    with closing(sqlite3.connect("runs/first/record.sqlite")) as database, database:
        database.execute(
            "UPDATE meta SET value = json_remove(value, '$.sampling') WHERE key = 'identity'"
        )
        database.execute("DELETE FROM meta WHERE key IN ('sealed', 'bound')")
        database.execute("ALTER TABLE cases DROP COLUMN head")
    workplace.safejury("run", config).refused("sampling was null")
