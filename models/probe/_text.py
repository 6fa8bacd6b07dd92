"""Tests an endpoint's capabilities with text requests."""

from typing import Annotated, Any, Literal

import msgspec

from ..endpoint import quoted
from ._http import Answer, Fields, ProbeClient
from ._result import Capability, CapabilityState

QUESTION = "Which color do you see or hear of here? Answer in one word."
"""The same words with and without a medium, so that their tokens can be compared."""

_REASONING_ROOM = 1024
# Longer than the system message that some chat templates put where none is given.
_SYSTEM = (
    "You take part in a test of how messages are passed on, and nothing else matters here."
    " Whatever you are asked, whoever asks it and however it is put, do not answer the"
    " question, do not explain why and add no other words: reply with the one word apple."
)
_ODD = "Write one odd sentence about bread."
_LONG = "The response under judgment names seven kinds of bread and praises each. " * 90
_SCHEMA: Fields = {
    "type": "object",
    "properties": {
        "opinion": {"type": "string", "enum": ["good", "bad"]},
        "grade": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
    },
    "required": ["opinion", "grade"],
    "additionalProperties": False,
}


class _Opinion(msgspec.Struct, forbid_unknown_fields=True):
    opinion: Literal["good", "bad"]
    grade: Annotated[int, msgspec.Meta(ge=1, le=5)]


def failed(name: str, answer: Answer, said: str = "") -> Capability:
    """Return the capability that a failed request implies."""
    state: CapabilityState = "no" if answer.refused else "unknown"
    return Capability(name, state, said or answer.problem, answer.request, answer.problem)


async def find_text(caller: ProbeClient) -> tuple[Capability, Answer]:
    """Test a plain text request; find the name of the token limit and the right address."""
    answer = await caller.ask(QUESTION)
    if answer.misplaced and not caller.has_version:
        given, caller.base = caller.base, caller.base / "v1"
        retried = await caller.ask(QUESTION)
        if retried.misplaced:
            caller.base = given
        else:
            answer = retried
    if answer.refused and "max_completion_tokens" in answer.complaint:
        caller.cap_name = "max_completion_tokens"
        answer = await caller.ask(QUESTION)
    if answer.status in (400, 422) and "token" in answer.complaint:
        named, caller.cap_name = caller.cap_name, None
        retried = await caller.ask(QUESTION)
        if retried.completion is None:
            caller.cap_name = named
        else:
            answer = retried
    if _is_thinking(answer):
        caller.least_cap = _REASONING_ROOM
        answer = await caller.ask(QUESTION)
    return _text(answer, caller), answer


def _is_thinking(answer: Answer) -> bool:
    completion = answer.completion
    return completion is not None and not completion.text and completion.finish_reason == "length"


def _text(answer: Answer, caller: ProbeClient) -> Capability:
    completion = answer.completion
    if completion is None:
        return failed("text", answer)
    if not completion.text:
        said = f"an empty reply (finish reason {answer.finish_reason!r})"
        if caller.least_cap:
            said += f": {caller.least_cap:,} tokens did not suffice for its reasoning"
        return Capability("text", "partly", said, answer.request, said)
    served = completion.provider_model
    said = f"answered in {answer.seconds:.1f} s"
    if served and served != caller.model:
        said += f" as {quoted(served)}"
    if caller.least_cap:
        said += "; it reasons before it answers: leave room in max_tokens"
    return Capability("text", "yes", said)


async def find_cap(caller: ProbeClient) -> tuple[Capability, Capability]:
    """Test whether the token limit is obeyed, and how a truncated reply is marked."""
    if caller.cap_name is None:
        caller.cap_name = "max_tokens"
        refused = await caller.ask(QUESTION)
        caller.cap_name = None
        unseen = Capability("finish_reason", "unknown", "no reply could be cut short")
        return failed("max_tokens", refused), unseen
    answer = await caller.ask("Count from one to one hundred in words.", cap=4, exact=True)
    completion = answer.completion
    if completion is None:
        return failed("max_tokens", answer), failed("finish_reason", answer)
    tokens = completion.usage.completion_tokens
    cut = completion.finish_reason == "length"
    counted = "uncounted" if tokens is None else f"{tokens}"
    if cut or (tokens is not None and tokens <= 4) or len(completion.text.split()) <= 4:
        cap = Capability("max_tokens", "yes", f"as {caller.cap_name}; a cap of 4 holds")
        finish = _cut_reason(answer, cut)
    else:
        said = f"{caller.cap_name} is accepted and not obeyed: {counted} tokens for a cap of 4"
        cap = Capability("max_tokens", "partly", said, answer.request, quoted(completion.text))
        finish = Capability("finish_reason", "unknown", "no reply could be cut short")
    return cap, finish


def _cut_reason(answer: Answer, cut: bool) -> Capability:
    if cut:
        return Capability("finish_reason", "yes", "a reply that is cut short ends with 'length'")
    said = (
        f"a reply that is cut short ends with {answer.finish_reason!r}:"
        " truncated responses will look complete"
    )
    return Capability("finish_reason", "partly", said, answer.request, said)


async def find_system(caller: ProbeClient, baseline: Answer) -> Capability:
    """Test whether system messages are accepted and read."""
    messages = [
        {"role": "system", "content": _SYSTEM},
        {"role": "user", "content": QUESTION},
    ]
    answer = await caller.ask(messages)
    completion = answer.completion
    if completion is None:
        return failed("system", answer)
    if "apple" in completion.text.lower():
        return Capability("system", "yes", "accepted and followed")
    return seen("system", answer, baseline, "accepted; this reply does not follow it")


def seen(name: str, answer: Answer, baseline: Answer, said: str) -> Capability:
    """Decide by the prompt's token count whether added content was read."""
    before, after = baseline.prompt_tokens, answer.prompt_tokens
    if before is None or after is None:
        return Capability(name, "yes", f"{said}; tokens are not counted, so it may be ignored")
    if after > before:
        return Capability(name, "yes", f"{said}; {after - before:,} more prompt tokens")
    said = f"{said}, but the prompt's tokens do not grow: it may be ignored"
    words = answer.completion.text if answer.completion else ""
    return Capability(name, "partly", said, answer.request, quoted(words))


async def find_schema(caller: ProbeClient) -> Capability:
    """Test whether a JSON schema is obeyed when the prompt does not ask for JSON."""
    shape = {"name": "opinion", "strict": True, "schema": _SCHEMA}
    answer = await caller.ask(
        "What do you think of bread?",
        cap=200,
        response_format={"type": "json_schema", "json_schema": shape},
    )
    completion = answer.completion
    if completion is None:
        return failed("json_schema", answer)
    try:
        msgspec.json.decode(completion.text, type=_Opinion)
    except msgspec.DecodeError:
        cut = answer.finish_reason == "length"  # it may be obeyed all the same
        fault = "cut short before it was whole" if cut else "ignored"
        said, words = f"accepted and {fault}", quoted(completion.text)
        state: CapabilityState = "unknown" if cut else "partly"
        return Capability("json_schema", state, f"{said}: {words}", answer.request, words)
    return Capability("json_schema", "yes", "accepted and obeyed")


async def find_sampling(caller: ProbeClient) -> tuple[Capability, Capability]:
    """Test whether temperature is accepted, and whether a seed makes replies repeat."""
    greedy = await caller.ask(QUESTION, temperature=0)
    takes = greedy.completion is not None
    temperature = (
        Capability("temperature", "yes", "0 is accepted")
        if takes
        else failed("temperature", greedy)
    )
    warm: dict[str, Any] = {"temperature": 1} if takes else {}
    answers = [await caller.ask(_ODD, seed=1, **warm)]
    if answers[0].completion is not None:
        answers += [await caller.ask(_ODD, seed=seed, **warm) for seed in (1, 2)]
    for answer in answers:
        if answer.completion is None:
            return temperature, failed("seed", answer)
    first, again, other = (answer.completion.text for answer in answers if answer.completion)
    if not first or not again:
        said = "accepted, but no words came that could be compared"
        seed = Capability("seed", "unknown", said, answers[0].request, said)
    elif first != again:
        said = "accepted, but one seed gives two different texts"
        seed = Capability("seed", "partly", said, answers[1].request, quoted(again))
    elif first == other:
        said = "one seed gives one text, but so does another seed: it may be ignored"
        seed = Capability("seed", "partly", said, answers[2].request, quoted(other))
    else:
        seed = Capability("seed", "yes", "one seed gives one text, another seed another")
    return temperature, seed


async def find_logprobs(caller: ProbeClient) -> Capability:
    """Test whether replies can include log probabilities."""
    answer = await caller.ask(QUESTION, logprobs=True)
    if answer.completion is None:
        return failed("logprobs", answer)
    if answer.has_logprobs:
        return Capability("logprobs", "yes", "returned with the reply")
    said = "accepted, but the reply has none"
    return Capability("logprobs", "no", said, answer.request, said)


async def find_usage(
    caller: ProbeClient, baseline: Answer, *, is_vllm: bool
) -> tuple[Capability, Capability]:
    """Test whether token usage is reported, including cached prompt tokens."""
    usage = baseline.completion.usage if baseline.completion else None
    if usage is None or usage.total_tokens is None:
        said = "replies do not report token usage: a token budget cannot be enforced"
        counted = Capability("usage", "no", said, baseline.request, said)
    else:
        said = f"{usage.prompt_tokens} prompt and {usage.completion_tokens} completion tokens"
        counted = Capability("usage", "yes", f"{said} for the first question")
    await caller.ask(_LONG, cap=4)
    answer = await caller.ask(_LONG, cap=4)
    if answer.completion is None:
        return counted, failed("cached_tokens", answer)
    cached, total = answer.completion.usage.cached_tokens, answer.prompt_tokens
    if cached is None:
        said = "replies do not report cached tokens"
        said += "; start vLLM with --enable-prompt-tokens-details" if is_vllm else ""
        return counted, Capability("cached_tokens", "no", said, answer.request, said)
    said = f"{cached:,} of {total or 0:,} tokens of a repeated prompt"
    return counted, Capability("cached_tokens", "yes" if cached else "partly", said)


async def find_streaming(caller: ProbeClient) -> Capability:
    """Test whether replies can be streamed."""
    answer = await caller.ask(QUESTION, stream=True)
    if answer.completion is not None:
        said = "accepted, but the reply comes in one piece"
        return Capability("streaming", "no", said, answer.request, said)
    events = [line[5:].strip() for line in answer.body.splitlines() if line.startswith(b"data:")]
    if not events or answer.status != 200:
        return failed("streaming", answer)
    if events[-1] == b"[DONE]":
        return Capability("streaming", "yes", f"{len(events) - 1} events, then [DONE]")
    said = f"{len(events)} events without [DONE] at the end"
    return Capability("streaming", "partly", said, answer.request, quoted(events[-1].decode()))
