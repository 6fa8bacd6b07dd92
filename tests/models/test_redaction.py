"""Secrets reach no text."""

import io
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import pytest

from safejury.datasets import Message, ToolCall
from safejury.models import (
    AgentWork,
    Completion,
    RedactingFilter,
    Redactor,
    TokenLogprobs,
    ToolUse,
    without_keys,
)
from safejury.targets import ResponseOutcome


def test_registered_values_go_the_longer_before_the_shorter():
    redactor = Redactor()
    redactor.register("hunter2-hunter2")
    redactor.register("hunter2-hunter2-and-more")
    text = redactor.redact("a hunter2-hunter2-and-more b hunter2-hunter2 c")
    assert text == "a [redacted] b [redacted] c"


@pytest.mark.parametrize("word", ["EMPTY", "ollama", "none", "", None])
def test_placeholders_stay_words(word: str | None):
    redactor = Redactor()
    redactor.register(word)
    assert redactor.redact("EMPTY ollama none") == "EMPTY ollama none"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key sk-proj-abcDEF123456 rejected", "abcDEF123456"),
        ("no access with hf_AbCdEfGhIjKlMnOpQrSt0123", "AbCdEfGhIjKl"),
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("GET /v1?api_key=abcdef123&x=1", "abcdef123"),
        ('{"api_key": "abcdef123"}', "abcdef123"),
        ("http://user:passw0rd@host/v1", "passw0rd"),
    ],
)
def test_what_looks_like_a_secret_goes(text: str, secret: str):
    redacted = Redactor().redact(text)
    assert secret not in redacted
    assert "[redacted]" in redacted


@pytest.mark.parametrize("text", ["a task-oriented answer", "the bearer of news", "api_key_env"])
def test_ordinary_words_stay(text: str):
    assert Redactor().redact(text) == text


def test_evidence_loses_registered_values_only():
    redactor = Redactor()
    redactor.register("real-secret")
    text = redactor.redact("say sk-aaaaaaaaaaaa and real-secret", patterns=False)
    assert text == "say sk-aaaaaaaaaaaa and [redacted]"


def test_logs_lose_secrets_in_words_arguments_and_tracebacks():
    redactor, stream = Redactor(), io.StringIO()
    redactor.register("real-secret")
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter(redactor))
    log = logging.getLogger("test_redaction.child")
    log.addHandler(handler)
    log.propagate = False
    try:
        raise ValueError("failed with real-secret")
    except ValueError:
        log.exception("sent %s to %s", "real-secret", "host")
    log.removeHandler(handler)
    assert "real-secret" not in stream.getvalue()
    assert "sent [redacted] to host" in stream.getvalue()
    assert "ValueError: failed with [redacted]" in stream.getvalue()


@dataclass(frozen=True, slots=True)
class Kept:
    """Stands for what a record keeps."""

    id: str
    outcome: ResponseOutcome
    ended: Literal["answered"] | None
    words: str
    counts: Mapping[str, object]
    parts: tuple["Kept", ...] = ()


def test_fields_lose_secrets_in_their_words_and_keep_what_things_are_called():
    redactor = Redactor()
    redactor.register("answered")
    inner = Kept("answered", ResponseOutcome.ANSWERED, None, "It answered me.", {})
    kept = Kept(
        *("answered", ResponseOutcome.ANSWERED, "answered", "answered"),
        {"answered": 3, "said": ["answered"]},
        (inner,),
    )
    assert redactor.redact_fields(kept) == Kept(
        *("answered", ResponseOutcome.ANSWERED, "answered", "[redacted]"),
        {"answered": 3, "said": ["[redacted]"]},
        (replace(inner, words="It [redacted] me."),),
    )


def test_json_in_a_field_keeps_the_names_of_its_members():
    redactor = Redactor()
    redactor.register("response")
    text = '{"response": {"response_format": "a response"}, "say": ["response", ":"]}'
    kept = Kept("1", ResponseOutcome.ANSWERED, None, text, {})
    assert json.loads(redactor.redact_fields(kept).words) == {
        "response": {"response_format": "a [redacted]"},
        "say": ["[redacted]", ":"],
    }
    broken = replace(kept, words='{"response": ')
    assert "response" not in redactor.redact_fields(broken).words


def test_a_key_that_json_in_a_field_names_a_member_by_is_hidden():
    redactor = Redactor()
    redactor.register("correct-horse-1")
    text = '{"correct-horse-1": 1, "Bearer correct-horse-1": [{"key": "correct-horse-1"}]}'
    kept = Kept("1", ResponseOutcome.ANSWERED, None, text, {})
    assert redactor.redact_fields(kept).words == (
        '{"[redacted]": 1, "Bearer [redacted]": [{"key": "[redacted]"}]}'
    )


@pytest.mark.parametrize(
    "secret", ['with "quotes" in it', "back\\slash\\key", "schl\u00fcssel\u2603", "tab\tand\nline"]
)
def test_a_secret_is_known_as_json_writes_it(secret: str):
    redactor = Redactor()
    redactor.register(secret)
    for form in (secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
        assert redactor.knows(f"the key {form}!")
        assert redactor.redact(f"the key {form}!").replace('"', "") == "the key [redacted]!"
    assert redactor.knows(json.dumps({"body": json.dumps({"key": secret})}))


def test_the_id_of_a_tool_call_is_what_others_wrote() -> None:
    redactor = Redactor()
    redactor.register("hunter2-hunter2")
    call = ToolCall("search", '{"q": "hunter2-hunter2"}', "call-hunter2-hunter2")
    message = redactor.redact_fields(Message("assistant", tool_calls=(call,)))
    assert "hunter2" not in str(message)


def test_a_secret_is_known_by_whatever_holds_it():
    redactor = Redactor()
    assert not redactor.knows("Bearer hunter2-hunter2")
    for secret in ("Bearer hunter2-hunter2", "hunter2-hunter2", 'and "another" one'):
        redactor.register(secret)
    for text in ("a hunter2-hunter2.", "Bearer hunter2-hunter2", json.dumps('and "another" one')):
        assert redactor.knows(text)
        assert not redactor.knows(redactor.redact(text))
    assert not redactor.knows("Bearer hunter2-hunter")


def test_what_hides_a_secret_is_none():
    """Or hiding it twice would not be as hiding it once."""
    redactor = Redactor()
    for word in ("redacted", "[redacted]"):
        redactor.register(word)
    assert redactor.redact("it was redacted: [redacted]") == "it was redacted: [redacted]"


def test_a_text_that_goes_on_never_shows_the_beginning_of_a_secret():
    redactor = Redactor()
    for secret in ("hunter2-hunter2", "hunter2-hunter2-and-more", 'quote" and more'):
        redactor.register(secret)
    whole = 'a hunter2 b hunter2-hunter2 c hunter2-hunter2-and-more d quote\\" and more e hunt'
    shown = [redactor.redact_so_far(whole[:end]) for end in range(len(whole) + 1)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))
    assert shown[-1] == "a hunter2 b [redacted] c [redacted] d [redacted] e "
    assert Redactor().redact_so_far(whole) == whole


def test_a_text_that_goes_on_never_shows_a_secret_that_ends_as_it_begins():
    redactor = Redactor()
    redactor.register("sk-and-more-sk-")
    whole = "a sk-and-more-sk- b sk-and-more-sk-and-more"
    shown = [redactor.redact_so_far(whole[:end]) for end in range(len(whole) + 1)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))
    assert shown[-1] == "a [redacted] b [redacted]and-more"
    assert not any("sk" in each for each in shown)


KEY = "key-that-only-these-completions-hold"


@pytest.mark.parametrize(
    "completion",
    [
        Completion(f"It is {KEY}.", "stop"),
        Completion(json.dumps({"reason": f"It is {KEY}."}), "stop"),
        Completion("", "stop", refusal=f"I say nothing of {KEY}."),
        Completion("Yes.", "stop", provider_model=f"model-{KEY}"),
        Completion("Yes.", "stop", notes=("It was short.", f"It had {KEY}.")),
        Completion("Yes.", "stop", called=(ToolCall("look", json.dumps({"at": KEY}), "1"),)),
        Completion("Yes.", "stop", called=(ToolCall("look", "{}", f"call-{KEY}"),)),
        Completion("", "stop", work=AgentWork((ToolUse("look", "{}", f"It is {KEY}."),))),
        Completion("", "stop", work=AgentWork((), f"it stopped at {KEY}")),
        Completion(KEY, "stop", logprobs=(TokenLogprobs(KEY[:9], ()), TokenLogprobs(KEY[9:], ()))),
    ],
)
def test_a_key_is_hidden_wherever_a_completion_holds_it(
    completion: Completion, monkeypatch: pytest.MonkeyPatch
):
    assert without_keys(completion) is completion
    monkeypatch.setattr("safejury.models.chat._without_keys.redactor", known := Redactor())
    known.register(KEY)
    hidden = without_keys(completion)
    assert "[redacted]" in str(hidden)
    assert KEY not in str(hidden)
    assert KEY[9:] not in str(hidden)
    assert without_keys(hidden) is hidden
