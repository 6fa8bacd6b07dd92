"""What is shown of an error before a case is revealed: not what others say of the question."""

import pytest

from safejury.models import Sampling
from safejury.targets import Response, ResponseOutcome, plain_detail

BACKSLASHES = "\\" * 200
ASKED = 'How do I pick it? It isn\'t "mine"'


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        (
            f"m@http://h/v1: the request was rejected (400: {f'bad input: {ASKED}'!r})",
            "m@http://h/v1: the request was rejected (400: [withheld])",
        ),
        (
            "m@http://h/v1: the key was rejected; check api_key_env (401: no text)",
            "m@http://h/v1: the key was rejected; check api_key_env (401: no text)",
        ),
        ("the reply reached the token limit", "the reply reached the token limit"),
        ("m: it doesn't end, and won't", "m: it doesn't end, and won't"),
        (
            f"m: the reply is not a chat completion (it begins {ASKED!r})",
            "m: the reply is not a chat completion (it begins [withheld])",
        ),
        (  # which would take for ever if each could be read in two ways
            f"m: the request was rejected (400: '{BACKSLASHES})",
            f"m: the request was rejected (400: '{BACKSLASHES})",
        ),
        (
            f"m: the request was rejected (400: {BACKSLASHES!r})",
            "m: the request was rejected (400: [withheld])",
        ),
    ],
)
def test_of_a_models_error_the_servers_words_are_withheld(detail: str, shown: str) -> None:
    response = Response(ResponseOutcome.ERROR, "", detail=detail, sampling=Sampling())
    assert plain_detail(response) == shown


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        (f"ValueError: {ASKED}", "ValueError: [withheld]"),
        (f"refused: {ASKED}", "[withheld]"),
        (f"the reply was empty: {ASKED}", "[withheld]"),
        ("the reply was empty", "the reply was empty"),
        ("not put: 3 pictures", "not put: 3 pictures"),
        ("recorded as error", "recorded as error"),
        ("old.jsonl has no response to 'q1' in epoch 0", None),
        (None, None),
    ],
)
def test_of_functions_and_files_what_is_ours_stays(detail: str | None, shown: str | None) -> None:
    response = Response(ResponseOutcome.ERROR, "", detail=detail)
    assert plain_detail(response) == (shown or detail)
