"""A target that is an async function: what it is given, and what becomes of its replies."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from safejury.common import ConfigurationError, FirstContactError
from safejury.datasets import Intent, Message, MessagePart, Query, load_dataset
from safejury.models import Limiter, ModelSpec, Price, RequestOptions, Usage, redactor
from safejury.targets import FunctionTarget, Response, ResponseOutcome, function_identity

ASKED = Query("q1", "legal_advice", "What is a will?", Intent.BENIGN)


async def put(function: Callable[..., Any], query: Query = ASKED) -> Response:
    return await FunctionTarget("mine", function).respond(query, epoch=0, call_id="")


async def test_a_function_is_given_the_query() -> None:
    seen: list[Query] = []

    async def answer(query: Query) -> str:
        seen.append(query)
        return "A paper."

    response = await put(answer)
    assert seen == [ASKED]
    assert (response.outcome, response.text, response.calls) == ("answered", "A paper.", 1)
    assert response.model is not None
    assert response.model.endswith("answer")


async def test_one_whose_parameter_is_text_is_given_the_text_and_media_are_noted() -> None:
    pictured = next(query for query in load_dataset("mini") if query.images)

    async def answer(prompt: str) -> str:
        return prompt.upper()

    response = await put(answer, pictured)
    assert response.text == pictured.text.upper()
    assert response.notes == ("the picture was withheld: the model takes none",)


async def test_a_conversation_is_not_put_to_one_that_takes_text() -> None:
    turns = (Message("user", (MessagePart("text", "Hi."),)),)

    async def answer(prompt: str) -> str:
        raise AssertionError

    response = await put(answer, replace(ASKED, messages=turns))
    assert response.outcome is ResponseOutcome.NOT_PUT
    assert "takes text alone" in str(response.detail)


async def test_a_response_keeps_what_it_says() -> None:
    said = Response(
        ResponseOutcome.FILTERED, "", detail="ours", usage=Usage(3, 0, 1), cost_usd=0.25
    )

    async def answer(query: Query) -> Response:
        return said

    response = await put(answer)
    assert (response.outcome, response.detail, response.usage) == ("filtered", "ours", said.usage)
    assert (response.cost_usd, response.calls) == (0.25, 1)


async def test_what_it_raises_is_an_error_and_shows_no_key() -> None:
    redactor.register("very-secret-key")

    async def answer(query: Query) -> str:
        raise RuntimeError("refused with\nvery-secret-key")

    response = await put(answer)
    assert response.outcome is ResponseOutcome.ERROR
    assert str(response.detail).startswith("RuntimeError: refused with ")
    assert "very-secret" not in str(response.detail)


async def test_a_cancellation_within_it_is_an_error_and_one_from_without_is_none() -> None:
    async def answer(query: Query) -> str:
        raise asyncio.CancelledError

    assert (await put(answer)).detail == "CancelledError"

    async def wait(query: Query) -> str:
        await asyncio.Event().wait()
        return ""

    task = asyncio.ensure_future(put(wait))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_that_exits_is_an_error_and_ends_no_run() -> None:
    async def answer(query: Query) -> str:
        sys.exit(0)

    response = await put(answer)
    assert (response.outcome, response.detail) == ("error", "SystemExit: 0")


async def test_an_empty_reply_is_an_error() -> None:
    async def answer(query: Query) -> str:
        return "  \n"

    response = await put(answer)
    assert (response.outcome, response.detail) == ("error", "the reply was empty")


@pytest.mark.parametrize(
    ("given", "calls"),
    [
        (Response(ResponseOutcome.ANSWERED, " ", calls=3, cost_usd=0.5), 3),
        (Response(ResponseOutcome.GAVE_UP, "", cost_usd=0.5), 1),
    ],
)
async def test_what_a_reply_without_words_took_is_counted(given: Response, calls: int) -> None:
    async def answer(query: Query) -> Response:
        return given

    response = await put(answer)
    assert (response.calls, response.cost_usd) == (calls, 0.5)


async def test_a_first_reply_that_is_no_text_ends_the_run_and_a_later_one_is_an_error() -> None:
    replies: list[object] = ["An answer.", None, OSError("not yet there")]

    async def answer(query: Query) -> Any:
        reply = replies.pop()
        if isinstance(reply, OSError):
            raise reply
        return reply

    target = FunctionTarget("mine", answer)
    assert (await target.respond(ASKED, epoch=0, call_id="")).outcome is ResponseOutcome.ERROR
    with pytest.raises(FirstContactError, match=r"'mine' returned None, and not text or a Resp"):
        await target.respond(ASKED, epoch=0, call_id="")
    assert (await target.respond(ASKED, epoch=0, call_id="")).outcome == "answered"
    replies.append(b"bytes")
    later = await target.respond(ASKED, epoch=0, call_id="")
    assert later.outcome is ResponseOutcome.ERROR
    assert "returned a value of type bytes, and not text or a Response" in str(later.detail)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"outcome": "answered"}, "whose outcome is no ResponseOutcome"),
        ({"text": None}, "whose text is no text"),
        ({"usage": None}, r"cannot be kept: Expected `object`, got `null` - at `$.usage`"),
        ({"notes": "one"}, "cannot be kept: Expected `array`"),
        ({"turns": ["one"]}, "cannot be kept: Expected `object`"),
        ({"cost_usd": "3"}, "cannot be kept: Expected `float | null`"),
        ({"cost_usd": -5.0}, "counts what cannot be: -5.0"),
        ({"cost_usd": float("nan")}, "counts what cannot be: nan"),
        ({"calls": -3}, "counts what cannot be: -3"),
        ({"usage": Usage(1, None, -2)}, "counts what cannot be: -2"),
    ],
)
async def test_a_response_that_cannot_be_kept_is_an_error_without_its_words(
    wrong: dict[str, Any], said: str
) -> None:
    whole = Response(ResponseOutcome.ANSWERED, "Secret words.")
    replies = [replace(whole, **wrong), whole]

    async def answer(query: Query) -> Response:
        return replies.pop()

    target = FunctionTarget("mine", answer)
    assert (await target.respond(ASKED, epoch=0, call_id="")).outcome == "answered"
    later = await target.respond(ASKED, epoch=0, call_id="")
    assert (later.outcome, later.text) == ("error", "")
    assert said in str(later.detail)
    assert "Secret words" not in str(later)


async def test_text_that_cannot_be_stored_is_made_storable() -> None:
    async def answer(query: Query) -> str:
        return "half \ud800 of a pair"

    assert (await put(answer)).text == "half \ufffd of a pair"


async def test_calls_at_a_time_are_bounded() -> None:
    under_way = [0]
    most = [0]

    async def answer(query: Query) -> str:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        await asyncio.sleep(0)
        under_way[0] -= 1
        return "Done."

    target = FunctionTarget("mine", answer, limiter=Limiter(2))
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(target.respond(ASKED, epoch=0, call_id=""))
    assert most == [2]


def sync(query: Query) -> str:
    return query.text


async def nothing() -> str:
    return ""


async def two(query: Query, more: str) -> str:
    return more


class Agent:
    """An object that answers."""

    async def __call__(self, query: Query) -> str:
        return f"called {query.id}"

    async def ask(self, query: Query) -> str:
        return f"asked {query.id}"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (sync, "'sync' is not async: write `async def`"),
        (nothing, "'nothing' must take one argument"),
        (two, "'two' must take one argument"),
        ("text", "is not a function"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_first_call(function: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        FunctionTarget("mine", function)


async def test_methods_and_objects_are_functions_too() -> None:
    assert (await put(Agent().ask)).text == "asked q1"
    assert (await put(Agent())).text == "called q1"


def test_a_function_is_known_by_its_place_and_its_source() -> None:
    known = function_identity(two)
    assert known["function"].endswith(":two")
    assert known != function_identity(nothing)
    assert known == function_identity(two)


def test_a_function_typed_at_a_prompt_is_known_by_what_it_does() -> None:
    def typed(source: str) -> Callable[..., object]:
        scope: dict[str, Any] = {"__name__": "__main__"}
        exec(source, scope)  # noqa: S102 - as a prompt does
        return scope["f"]

    one, other = typed("async def f(q): return 'a'"), typed("async def f(q): return 'b'")
    assert function_identity(one)["function"] == "__main__:f"
    assert function_identity(one) != function_identity(other)
    assert function_identity(one) == function_identity(typed("async def f(q): return 'a'"))


def test_what_a_function_was_made_with_is_part_of_it() -> None:
    def made(model: object) -> Callable[..., object]:
        calls = 0

        async def answer(query: Query) -> str:
            nonlocal calls
            calls += 1
            return str(model)

        return answer

    async def other(model: str, query: Query) -> str:
        return model.upper()

    given: list[Callable[..., object]] = [
        made("one"),
        made("two"),
        made(ModelSpec("one", base_url="http://127.0.0.1:9/v1")),
        made(
            ModelSpec(
                "one", base_url="http://127.0.0.1:9/v1", options=RequestOptions.of({"top_k": 3}, {})
            )
        ),
        made(ModelSpec("openai/one")),
        made(ModelSpec("openai/one", api_base="http://127.0.0.1:9/v1")),
        made(made("one")),
        made(made("two")),
        partial(two, more="one"),
        partial(two, more="two"),
        partial(other, "one"),
        *(lambda query: "one", lambda query: "two"),  # pyright: ignore[reportUnknownLambdaType]
    ]
    known = {tuple(function_identity(function).values()) for function in given}
    assert len(known) == len(given)
    keyed = made(ModelSpec("openai/one", api_key="secret", timeout=3.0, price=Price(1.0, 2.0)))
    assert tuple(function_identity(keyed).values()) in known


async def test_a_function_that_counts_or_fills_a_list_stays_the_same() -> None:
    seen, calls = list[str](), 0

    async def answer(query: Query) -> str:
        nonlocal calls
        calls += 1
        seen.append(query.id)
        return f"{calls}"

    known = function_identity(answer)
    await put(answer)
    assert function_identity(answer) == known


def test_a_class_typed_at_a_prompt_is_known_by_what_its_methods_do() -> None:
    def typed(answer: str) -> Callable[..., object]:
        scope: dict[str, Any] = {"__name__": "__main__"}
        exec(f"class A:\n async def __call__(self, q): return '{answer}'", scope)  # noqa: S102
        return scope["A"]()

    assert function_identity(typed("a")) == function_identity(typed("a"))
    assert function_identity(typed("a")) != function_identity(typed("b"))
