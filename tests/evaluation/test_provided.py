"""A run whose parts are objects: a function, a model with its key, a jury, questions in memory."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from safejury.agents import load_persona
from safejury.assembly import Config, load_config
from safejury.datasets import Intent, Query, Taxonomy, load_taxonomy
from safejury.deliberation import PRESETS, JurySpec, SeatInfo, SeatSpec
from safejury.evaluation import Provided, RunPlan, run, set_up
from safejury.evaluation.plan import identity_of
from safejury.models import ModelSpec
from safejury.targets import FunctionTarget, Response, ResponseOutcome
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]

KEY = "sk-of-an-object-0123456789abcdef"
NOWHERE = "http://127.0.0.1:9/v1"


class _Questions:
    """Questions that no file holds."""

    name = "typed"
    notes = ("made up",)

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    @property
    def sha256(self) -> str:
        return hashlib.sha256("\n".join(self._texts).encode()).hexdigest()

    @property
    def taxonomy(self) -> Taxonomy:
        return load_taxonomy()

    def __iter__(self) -> Iterator[Query]:
        for number, text in enumerate(self._texts):
            yield Query(f"q{number}", "ethics.bioethics", text, Intent.BENIGN)


async def shouts(query: Query) -> Response:
    return Response(ResponseOutcome.ANSWERED, query.text.upper())


def _says(body: Mapping[str, object]) -> str:
    return ballot("safe", 5) if body["model"] == "judging" else "Yes."


def _jury(url: str) -> JurySpec:
    persona = load_persona("lawyer")
    model = ModelSpec("judging", base_url=url, api_key=KEY)
    info = SeatInfo("lawyer", persona.name, persona.title, model.model)
    return JurySpec((SeatSpec(info, persona, model),), PRESETS["vote"])


def _plan(workplace: Any, url: str, questions: _Questions) -> RunPlan:
    """Return the plan of a config that names none of what is asked, or asks."""
    targets = [{"name": name, "base_url": NOWHERE, "model": name} for name in ("shouts", "asked")]
    config: Config = load_config(Path(workplace.config(NOWHERE, targets=targets)))
    asked = ModelSpec("asked", base_url=url, api_key=KEY)
    provided = Provided({"shouts": shouts, "asked": asked}, _jury(url), questions)
    return set_up(config, Path(), provided)


async def test_a_run_of_objects_asks_them_and_is_recorded_like_any_other(
    workplace: Any, scripted: Start
):
    server = scripted(_says)
    plan = _plan(workplace, server.base_url, _Questions("What is a gene?", "What is a cell?"))
    outcome = await run(plan)
    assert (outcome.cases, outcome.verdicts) == (4, 4)
    said = {case: response["text"] for case, response in workplace.responses().items()}
    assert said["q0/shouts/0"] == "WHAT IS A GENE?"
    assert said["q1/asked/0"] == "Yes."
    assert workplace.report()["run"]["cases_finished"] == 4
    files = [path for path in plan.directory.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    again = len(server.requests)
    assert (await run(plan)).verdicts == 4
    assert len(server.requests) == again


def test_a_run_knows_its_questions_and_functions_by_what_they_are(workplace: Any):
    identity = identity_of(_plan(workplace, NOWHERE, _Questions("What is a gene?")))
    other = identity_of(_plan(workplace, NOWHERE, _Questions("What is a cell?")))
    functions: Any = identity["functions"]
    assert functions.keys() == {"shouts"}
    assert functions["shouts"] == FunctionTarget("shouts", shouts).identity
    assert identity["dataset"] != other["dataset"]
    assert {**identity, "dataset": 0} == {**other, "dataset": 0}
