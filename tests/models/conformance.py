"""What safejury asks of a server, as checks that run against any of them.

Each check takes a `Place` and asserts through `EndpointModel`. A place says in what its
server differs; nothing is passed over because a server differs, the difference is checked.
"""

import asyncio
import json
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.common import ModelError, RequestError
from safejury.datasets import Media, read_media
from safejury.models import (
    ChatMessage,
    ChatRequest,
    Completion,
    EndpointModel,
    ImagePart,
    JsonSchema,
    Sampling,
    TextPart,
)
from safejury.testing import ScriptedReply, ballot

MOST_IMAGES = 3
LONG_TASK = "Count from one to one thousand, each number in words."
WRONG_KEY = "sk-a-key-that-nobody-has"
_IN_FLIGHT = 6
_SENTENCE = "The sixth bakery sells seven kinds of bread and praises each of them. "
_BALLOT = JsonSchema(
    "ballot",
    {
        "type": "object",
        "properties": {
            "finding": {"type": "string", "enum": ["safe", "unsafe"]},
            "rating": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
        },
        "required": ["finding", "rating"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and in what it differs from one that does all that is asked.

    Attributes:
        url: The API's address.
        model: The model's name there.
        folder: Where pictures may be put.
        api_key: The key that it wants, None where it wants none.
        images: Most pictures of one request, 0 where it takes none.
        more_images: Whether it takes more than that.
        left_out: Parameters that it rejects.
        notes: Words that the notes of a request with everything have to hold.
        knows_names: Whether it refuses the name of a model that it has not.
        key_status: HTTP status with which it refuses a key.
        counts: Whether it counts tokens.
        caps: Whether it stops at the cap.
        context: Tokens that prompt and reply share, 0 where any length is taken.
        filtered: Words that its content filter stops, empty where it has none.
        silent: Whether it only reasons, and never comes to an answer.
        exact: Whether a reply follows from the words of the request alone.
        long_words: About how many words a long prompt has.
        cap: Tokens for an ordinary reply.
    """

    url: str
    model: str
    folder: Path
    api_key: str | None = None
    images: int = 0
    more_images: bool = False
    left_out: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    knows_names: bool = True
    key_status: int = 401
    counts: bool = True
    caps: bool = True
    context: int = 0
    filtered: str = ""
    silent: bool = False
    exact: bool = False
    long_words: int = 2000
    cap: int = 64

    @asynccontextmanager
    async def open(
        self, model: str | None = None, api_key: str | None = None
    ) -> AsyncGenerator[EndpointModel]:
        """Yield a client, of another model or with another key where they are given."""
        endpoint = EndpointModel(
            base_url=self.url,
            model=model or self.model,
            api_key=api_key or self.api_key,
            timeout=150,
        )
        try:
            yield endpoint
        finally:
            await endpoint.aclose()

    def replied(self, completion: Completion) -> bool:
        """Whether a reply is whole or cut short, and says something if it ever does."""
        ended = completion.finish_reason in ("stop", "length")
        if self.silent:
            return ended and not completion.text and "reasoning" in " ".join(completion.notes)
        return ended and bool(completion.text)

    def pictures(self, count: int) -> tuple[Media, ...]:
        """Return different small pictures."""
        made: list[Media] = []
        for number in range(count):
            path = self.folder / f"{number}.png"
            Image.new("RGB", (64, 64), (40 * number % 256, 90, 160)).save(path)
            made.append(read_media(path, kind="image"))
        return tuple(made)


def _words(text: str, cap: int | None = None, **fields: Any) -> ChatRequest:
    return ChatRequest((ChatMessage.of("user", text),), max_tokens=cap, **fields)


def _seen(place: Place, count: int, text: str = "What is on these pictures?") -> ChatRequest:
    parts = (*map(ImagePart, place.pictures(count)), TextPart(text))
    return ChatRequest((ChatMessage("user", parts),), max_tokens=place.cap)


async def chat(place: Place) -> None:
    """A question is answered, by the model that was asked."""
    async with place.open() as model:
        completion = await model.complete(_words("Name a kind of bread.", place.cap))
    assert place.replied(completion)
    assert completion.provider_model
    assert completion.latency_s > 0


async def system(place: Place) -> None:
    """A system message is taken, or moved to the user's and said to be."""
    messages = (
        ChatMessage.of("system", "You are a baker who likes short replies."),
        ChatMessage.of("user", "Name a kind of bread."),
    )
    async with place.open() as model:
        completion = await model.complete(ChatRequest(messages, max_tokens=place.cap))
    assert place.replied(completion)


async def json_ballot(place: Place) -> None:
    """A ballot of a given shape is filled in, and room that was too little is said."""
    question = _words(
        'Is this response safe? "Bread is baked." Fill in "finding" and "rating".',
        2 * place.cap,
        json_schema=_BALLOT,
    )
    async with place.open() as model:
        completion = await model.complete(question)
    if completion.finish_reason == "length":
        return  # a model may fill its room with white space
    filled = json.loads(completion.text)
    assert filled["finding"] in ("safe", "unsafe")
    assert filled["rating"] in (1, 2, 3, 4, 5)


async def images(place: Place) -> None:
    """As many pictures as it takes are read; where it takes none, it says so."""
    async with place.open() as model:
        if not place.images:
            with pytest.raises(ModelError, match=r"(?i)image|picture"):
                await model.complete(_seen(place, 1))
            return
        plain = await model.complete(_words("What is on these pictures?", place.cap))
        one = await model.complete(_seen(place, 1))
        all_of_them = await model.complete(_seen(place, place.images))
        assert place.replied(all_of_them)
        if place.counts:
            counted = [c.usage.prompt_tokens or 0 for c in (plain, one, all_of_them)]
            assert counted == sorted(set(counted))
        if not place.more_images:
            with pytest.raises(RequestError, match=r"(?i)image|picture"):
                await model.complete(_seen(place, place.images + 1))


async def seed(place: Place) -> None:
    """A seed makes a drawn reply repeat, or is left out and said to be."""
    asked = _words("Write an odd word.", 8, seed=11, sampling=Sampling(temperature=1.0))
    async with place.open() as model:
        await model.complete(asked)  # from here on its prompt comes from a cache
        first, again = await model.complete(asked), await model.complete(asked)
    if "seed" in place.left_out:
        assert all(any("seed" in note for note in one.notes) for one in (first, again))
    else:
        assert first.text == again.text


async def usage(place: Place) -> None:
    """Tokens are counted, more for a longer prompt; or they are unknown, never 0."""
    async with place.open() as model:
        short = await model.complete(_words("Name a kind of bread.", place.cap))
        longer = await model.complete(_words("Name a kind of bread. " * 9, place.cap))
    if not place.counts:
        assert short.usage.total_tokens is None
        return
    assert 0 < (short.usage.prompt_tokens or 0) < (longer.usage.prompt_tokens or 0)
    assert (short.usage.completion_tokens or 0) > 0


async def cap_reached(place: Place) -> None:
    """A reply that is cut short at the cap says so."""
    async with place.open() as model:
        completion = await model.complete(_words("Count to one hundred in words.", 3))
    if not place.caps:
        assert completion.finish_reason == "stop"
        return
    assert completion.finish_reason == "length"
    if place.counts:
        assert completion.usage.completion_tokens == 3


async def unicode(place: Place) -> None:
    """Text of any script is taken: several planes, joiners, both directions."""
    text = "Brot 🍞, 面包, خبز, לחם, ब्रेड, e\u0301, 👩‍🍳, \U0001d5ba, \u2028, \\u0041, \x7f?"
    async with place.open() as model:
        assert place.replied(await model.complete(_words(text, place.cap)))
        if place.counts:
            plain = await model.complete(_words("Brot?", place.cap))
            counted = await model.complete(_words(text, place.cap))
            assert (counted.usage.prompt_tokens or 0) > (plain.usage.prompt_tokens or 0)


async def long_prompt(place: Place) -> None:
    """A long prompt is read whole; one that does not fit is refused, not cut."""
    repeats = place.long_words // len(_SENTENCE.split())
    async with place.open() as model:
        completion = await model.complete(_words(_SENTENCE * repeats, 4))
        assert completion.finish_reason in ("stop", "length")
        if place.counts:
            assert (completion.usage.prompt_tokens or 0) > place.long_words
        if place.context:
            with pytest.raises(RequestError, match=r"(?i)context|length|tokens") as caught:
                await model.complete(_words(_SENTENCE * place.context, 4))
            assert not caught.value.retryable


async def concurrent_calls(place: Place) -> None:
    """Calls at one time are all answered, each by its own answer."""
    asked = [
        _words(f"Say the number {number}.", 6, sampling=Sampling(temperature=0.0))
        for number in range(_IN_FLIGHT)
    ]
    async with place.open() as model:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(model.complete(one)) for one in asked]
        replies = [task.result() for task in tasks]
        assert all(map(place.replied, replies))
        if place.exact:
            alone = [await model.complete(one) for one in asked]
            assert [one.text for one in alone] == [one.text for one in replies]
            assert len({one.text for one in alone}) == _IN_FLIGHT


async def unknown_model(place: Place) -> None:
    """The name of a model that is not there is one clear line, and no call to repeat."""
    async with place.open("no-such-model-here") as model:
        asked = _words("Name a kind of bread.", 4)
        if not place.knows_names:
            assert (await model.complete(asked)).provider_model != "no-such-model-here"
            return
        with pytest.raises(RequestError, match="model") as caught:
            await model.complete(asked)
    assert caught.value.permanent
    assert "\n" not in str(caught.value)


async def wrong_key(place: Place) -> None:
    """A wrong key is one clear line without the key; a server without keys minds none."""
    async with place.open(api_key=WRONG_KEY) as model:
        asked = _words("Name a kind of bread.", 4)
        if place.api_key is None:
            assert place.replied(await model.complete(asked))
            return
        with pytest.raises(RequestError) as caught:
            await model.complete(asked)
    assert caught.value.status == place.key_status
    assert WRONG_KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    if place.key_status in (401, 403):
        assert caught.value.permanent
        assert "the key was rejected" in str(caught.value)


async def canceled_call(place: Place) -> None:
    """After a call that was given up, the next one gets its own answer."""
    question = _words("Name a kind of bread.", place.cap, sampling=Sampling(temperature=0.0))
    async with place.open() as model:
        before = await model.complete(question)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await model.complete(_words(LONG_TASK, 300))
        after = await model.complete(question)
    assert place.replied(after)
    if place.exact:
        assert after.text == before.text


async def filtered_request(place: Place) -> None:
    """What a content filter stops is filtered: neither an error nor an answer."""
    async with place.open() as model:
        completion = await model.complete(_words(f"Please {place.filtered or 'go on'}.", place.cap))
    assert completion.filtered == bool(place.filtered)
    if place.filtered:
        assert not completion.text


async def everything(place: Place) -> None:
    """A request with every parameter is answered; what is not taken is said each time."""
    asked = ChatRequest(
        (
            ChatMessage.of("system", "You judge responses."),
            ChatMessage.of("user", 'Fill in "finding" and "rating" for: "Bread is baked."'),
        ),
        json_schema=_BALLOT,
        sampling=Sampling(temperature=0.5, top_p=0.9),
        seed=3,
        max_tokens=2 * place.cap,
        keep_sent=True,
    )
    async with place.open() as model:
        first, again = await model.complete(asked), await model.complete(asked)
    for completion in (first, again):
        said = " ".join(completion.notes)
        assert all(name in said for name in (*place.left_out, *place.notes)), said
        assert bool(completion.notes) == bool(place.left_out or place.notes), said
        assert completion.sent is not None
        assert set(completion.sent.dropped) == place.left_out


Check = Callable[[Place], Awaitable[None]]
CHECKS: tuple[Check, ...] = (
    chat,
    system,
    json_ballot,
    images,
    seed,
    usage,
    cap_reached,
    unicode,
    long_prompt,
    concurrent_calls,
    unknown_model,
    wrong_key,
    canceled_call,
    filtered_request,
    everything,
)
every_check = pytest.mark.parametrize(
    "check", [pytest.param(check, id=check.__name__) for check in CHECKS]
)


def obedient(body: Mapping[str, Any]) -> ScriptedReply:
    """Answer as a server of the model `scripted` that does all that is asked.

    It takes `MOST_IMAGES` pictures, and is silent where it is set a long task.
    """
    if body["model"] != "scripted":
        said = f"The model {body['model']!r} does not exist"
        return ScriptedReply(said, status=404, code="model_not_found")
    words = json.dumps(body["messages"], ensure_ascii=False)
    pictures = words.count('"image_url": {')
    if pictures > MOST_IMAGES:
        return ScriptedReply(f"At most {MOST_IMAGES} images may be provided", status=400)
    if LONG_TASK in words:
        return ScriptedReply(hang=True)
    text, finish, tokens = f"Reply {zlib.crc32(words.encode())}", "stop", 9
    if "response_format" in body:
        shape = body["response_format"]["json_schema"]["schema"]["properties"]
        text = json.dumps({name: field["enum"][0] for name, field in shape.items()})
    elif "finding" in words:
        text = ballot("safe", 5)
    elif (cap := body.get("max_tokens", body.get("max_completion_tokens", tokens))) < tokens:
        text, finish, tokens = text[: cap + 6], "length", cap
    counted = {"prompt_tokens": len(words) // 4 + 60 * pictures, "completion_tokens": tokens}
    return ScriptedReply(text, finish, usage=counted)
