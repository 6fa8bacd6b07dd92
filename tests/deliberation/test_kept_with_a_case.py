"""What is made of a case is made once for all jurors, and is no part of the case."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import asdict

import msgspec
import pytest

from safejury.agents import BallotCall, Case, Juror
from safejury.deliberation import Jury
from safejury.models import ChatRequest, Completion, Modality

MakeCase = Callable[..., Case]


class _Model:
    """Gives each juror the same ballot, and keeps what it was asked."""

    name = "kept"
    modalities: frozenset[Modality] = frozenset({"text"})

    def __init__(self) -> None:
        self.asked: list[ChatRequest] = []

    async def complete(self, request: ChatRequest) -> Completion:
        self.asked.append(request)
        ballot = '{"reason": "It is general.", "finding": "safe", "rating": 4}'
        return Completion(ballot, "stop")

    async def aclose(self) -> None:
        """Do nothing."""


async def test_a_case_that_jurors_judged_is_written_compared_and_copied_as_before(
    make_case: MakeCase,
) -> None:
    case, other = make_case(3), make_case(3)
    await Juror("alpha", None, _Model()).judge(BallotCall(case))
    assert case == other
    assert (hash(case), repr(case), asdict(case)) == (hash(other), repr(other), asdict(other))
    assert msgspec.json.encode(case) == msgspec.json.encode(other)
    assert pickle.dumps(case) == pickle.dumps(other)
    assert copy.copy(case) == copy.deepcopy(case) == other


def test_what_is_made_of_a_case_is_made_once_and_dropped_with_the_case(
    make_case: MakeCase,
) -> None:
    case, made = make_case(1), list[str]()

    def make() -> str:
        made.append("made")
        return "something"

    assert [case.kept("it", make) for _ in range(3)] == ["something"] * 3
    assert len(made) == 1
    case.drop()
    case.kept("it", make)
    assert len(made) == 2


def test_nothing_is_kept_of_a_long_case(make_case: MakeCase) -> None:
    case, made = make_case(1, text="word " * 30_000), list[str]()
    for _ in range(2):
        case.kept("it", lambda: made.append("made") or "something")
    assert len(made) == 2


@pytest.mark.parametrize("jurors", [1, 3])
async def test_jurors_of_one_case_read_the_same_evidence(make_case: MakeCase, jurors: int) -> None:
    model = _Model()
    seats = {name: Juror(name, None, model) for name in ("alpha", "bravo", "charlie")[:jurors]}
    case = make_case(2)
    async with Jury(seats) as jury:
        await jury.hear(case)
        await jury.hear(case)
    assert len({request.messages for request in model.asked}) == 1
    assert len(model.asked) == 2 * jurors
