"""Charges a model's calls to a budget, and checks the reported usage."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import msgspec

from ...common import ModelError
from ..chat import Charge, ChatModel, ChatRequest, Completion, Price, TextPart, Usage
from ._budget import Budget
from ._middleware import Middleware

BYTES_PER_TOKEN = 3
"""Of text in a request: fewer than English has, so that rather too much is reserved."""
TOKENS_PER_MEDIUM = 1600
"""Reserved for a picture or a sound."""
TOKENS_PER_MESSAGE = 8
"""Reserved for what a chat template puts around a message."""
_UNCAPPED_REPLY = 2048
_MOST_TOKENS_PER_MEDIUM = 65_536
"""Some models take tens of thousands of tokens for one large picture."""
_MOST_AROUND_PROMPT = 16_384
"""Templates and prompts that a provider puts around ours."""
_MOST_BEYOND_CAP = 131_072
"""Some providers let a model think beyond the cap of its reply."""
_CALLS_TO_MEASURE = 2
"""Calls without a credible usage after which none is waited for."""


class Budgeted(Middleware):
    """A chat model whose calls are charged to a budget.

    Each call first reserves the most that it is expected to take: a token for
    three bytes of text, 1600 for a picture or a sound, and `max_tokens` (2048
    where a request has no cap) for the reply. Where a prompt or a reply took more than
    that, as when a model thinks beyond its cap, each further call reserves as much more.
    Of a bounded budget, calls are made one at a time until the first says what it took.
    A call that the server may have worked on and whose reply says nothing credible of its
    usage is charged what was reserved.

    Wrap it around one attempt, inside of whatever tries again: each attempt may cost.

    Args:
        model: What to call.
        budget: Shared by all models of a run.
        price: What the model's calls cost, whatever a reply says of it; None where nobody
            said it.
        find_price: Looks the price up before the first call, where it is not given. What
            a reply says of its cost comes before it.
        own: Whether it runs on a server of ours, where a call that we break off costs
            nothing.
    """

    def __init__(
        self,
        model: ChatModel,
        budget: Budget,
        price: Price | None = None,
        *,
        find_price: Callable[[], Awaitable[Price | None]] | None = None,
        own: bool = False,
    ) -> None:
        super().__init__(model)
        self._budget = budget
        self._price = price
        self._price_is_given = price is not None
        self._find_price = None if self._price_is_given else find_price
        self._own = own
        # Tokens beyond what calls were expected to take.
        self._beyond_prompt = self._beyond_reply = 0
        self._to_measure = _CALLS_TO_MEASURE
        self._one_at_a_time = asyncio.Lock()

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply with its cost and its credible usage.

        Raises:
            BudgetError: The budget does not cover the call, which was not made.
            ModelError: The call failed. It is charged what was reserved, unless the
                server did not work on it.
        """
        if self._find_price is not None:
            self._price = await self._find_price()
            self._find_price = None
        if self._to_measure and self._budget.is_bound:
            async with self._one_at_a_time:
                if self._to_measure:
                    return await self._paid(request)
        return await self._paid(request)

    async def _paid(self, request: ChatRequest) -> Completion:
        size = _Size.of(request)
        estimate = self._charge_for(*self._expected(size))
        reserved = await self._budget.reserve(estimate, request.call_id, keep=not self._own)
        spent: Charge | None = None
        guessed: Charge | None = None
        try:
            completion = await self._model.complete(request)
            if not completion.reused:
                completion, spent, guessed = self._settled(completion, size)
            return completion
        except ModelError as error:
            self._measure(Usage(), size)
            if not error.unprocessed:
                spent = guessed = estimate
            raise
        except asyncio.CancelledError:
            if not self._own:
                spent = guessed = estimate
            raise
        finally:
            if spent is None:
                self._budget.release(reserved)
            else:
                self._budget.settle(reserved, spent, guessed=guessed)

    def _settled(
        self, completion: Completion, size: "_Size"
    ) -> tuple[Completion, Charge, Charge | None]:
        """Return the completion with credible usage, its cost, and which of it is estimated."""
        usage = size.credible(completion)
        self._measure(usage, size)
        tokens = usage.total_tokens
        whole = tokens is not None
        reported = completion.cost_usd
        if not self._price_is_given and whole and reported is not None and _is_cost(reported):
            cost = reported
        else:
            cost = None if self._price is None else self._price.of(usage)
        if usage is not completion.usage or cost != reported:
            completion = replace(completion, usage=usage, cost_usd=cost)
        if whole:
            return completion, Charge(tokens or 0, cost), None
        charged = self._charged(usage, completion, size)
        known = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
        return completion, charged, Charge(charged.tokens - known, charged.usd)

    def _charged(self, usage: Usage, completion: Completion, size: "_Size") -> Charge:
        """Return the charge for a call with incomplete usage, never less than reported."""
        prompt, reply = usage.prompt_tokens, usage.completion_tokens
        expected_prompt, expected_reply = self._expected(size)
        if prompt is None:
            prompt = expected_prompt
        if reply is None:
            reply = max(expected_reply, _text_tokens(completion.written))
        return self._charge_for(prompt, reply)

    def _expected(self, size: "_Size") -> tuple[int, int]:
        """Return the prompt and reply tokens to reserve for a call."""
        reply = size.cap or _UNCAPPED_REPLY
        return size.prompt_tokens + self._beyond_prompt, reply + self._beyond_reply

    def _measure(self, usage: Usage, size: "_Size") -> None:
        """Adjust later reservations to what a call actually used."""
        prompt, reply = self._expected(size)
        if (more := (usage.prompt_tokens or 0) - prompt) > 0:
            self._beyond_prompt += more
        if (more := (usage.completion_tokens or 0) - reply) > 0:
            self._beyond_reply += more
        if self._to_measure:
            known = usage.total_tokens is not None
            self._to_measure = 0 if known else self._to_measure - 1

    def _charge_for(self, prompt: int, reply: int) -> Charge:
        if self._price is None:
            return Charge(prompt + reply, None)
        usage = Usage(prompt_tokens=prompt, completion_tokens=reply)
        return Charge(prompt + reply, self._price.of(usage))


@dataclass(slots=True)
class _Size:
    """What a request takes, counted once a call.

    Attributes:
        text: Bytes of its text.
        media: Number of pictures and audio parts.
        cap: Its cap on the tokens of the reply.
        prompt_tokens: An upper bound of the tokens of the prompt.
    """

    text: int
    media: int
    cap: int | None
    prompt_tokens: int

    @classmethod
    def of(cls, request: ChatRequest) -> "_Size":
        text, media = _sizes(request)
        fixed = media * TOKENS_PER_MEDIUM + len(request.messages) * TOKENS_PER_MESSAGE
        return cls(text, media, request.max_tokens, -(-text // BYTES_PER_TOKEN) + fixed)

    def credible(self, completion: Completion) -> Usage:
        """Return a completion's usage; see `credible_usage`."""
        usage, written = completion.usage, _length(completion.written)
        most_prompt = self.text + self.media * _MOST_TOKENS_PER_MEDIUM + _MOST_AROUND_PROMPT
        most_reply = max(_MOST_BEYOND_CAP + (self.cap or 0), written)
        prompt = _within(usage.prompt_tokens, 1, most_prompt)
        reply = _within(usage.completion_tokens, 1 if written else 0, most_reply)
        cached = _within(usage.cached_tokens, 0, most_prompt if prompt is None else prompt)
        is_credible = (
            prompt == usage.prompt_tokens
            and cached == usage.cached_tokens
            and reply == usage.completion_tokens
        )
        return usage if is_credible else Usage(prompt, cached, reply)


def credible_usage(completion: Completion, request: ChatRequest) -> Usage:
    """Return a completion's usage, with None for implausible numbers.

    No call takes 0 or fewer tokens of a prompt, nor says words with none. More than a
    token for each byte of the prompt, 65,536 for each picture or sound and 16,384 for
    what a provider may put around them cannot be true either, nor a reply of 131,072
    tokens beyond its cap.
    """
    return _Size.of(request).credible(completion)


def _is_cost(usd: float) -> bool:
    return math.isfinite(usd) and usd >= 0


def _within(tokens: int | None, least: int, most: int) -> int | None:
    return tokens if tokens is not None and least <= tokens <= most else None


def estimate_prompt_tokens(request: ChatRequest) -> int:
    """Estimate an upper bound of a request's prompt tokens."""
    return _Size.of(request).prompt_tokens


def _sizes(request: ChatRequest) -> tuple[int, int]:
    """Return the bytes of a request's text, and its number of pictures and audio parts."""
    size, media = 0, 0
    for message in request.messages:
        for part in message.parts:
            if not isinstance(part, TextPart):
                media += 1
            else:
                size += _length(part.text)
        for call in message.tool_calls:
            size += _length(f"{call.name}{call.arguments}")
    if request.json_schema is not None:
        size += len(request.json_schema.written())
    for tool in request.tools:
        size += len(msgspec.json.encode((tool.name, tool.description, tool.parameters)))
    return size, media


def _length(text: str) -> int:
    """Return the number of bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _text_tokens(text: str) -> int:
    return -(-_length(text) // BYTES_PER_TOKEN)
