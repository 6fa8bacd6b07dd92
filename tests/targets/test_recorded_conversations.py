"""Conversations in files of responses, whatever tool wrote them."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from safejury.datasets import Message, MessagePart, Query, ToolCall, load_set, of_messages
from safejury.targets import OTHER_WORDS_NOTE, RecordedQuestions, RecordedTarget, Response

HI, WHAT, RED = "Hi", "What is this?", "A red square."


class Read(NamedTuple):
    """What became of the one response of a file."""

    query: Query
    response: Response


@pytest.fixture
def red(tmp_path: Path) -> Path:
    path = tmp_path / "red.png"
    Image.new("RGB", (8, 8), "red").save(path)
    return path


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def data_url(path: Path) -> str:
    return f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}"


def written(folder: Path, name: str, data: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(data))
    return path


async def read(path: Path, **options: Any) -> Read:
    target = RecordedTarget("t", path, **options)
    assert list(target.all_left_out()) == []
    (query,) = RecordedQuestions([target])
    return Read(query, await target.respond(query, epoch=0, call_id="c"))


def plain(turns: tuple[Message, ...]) -> list[tuple[str, str]]:
    """Return who said what, media by their kind and calls of tools by their name."""
    return [
        (
            turn.role,
            " ".join(
                [
                    *(part.text or f"<{part.kind}>" for part in turn.parts),
                    *(f"{call.name}({call.arguments})" for call in turn.tool_calls),
                ]
            ),
        )
        for turn in turns
    ]


ASKED: list[dict[str, object]] = [
    {"role": "system", "content": "Be kind."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": WHAT},
            {"type": "image", "path": "red.png"},
        ],
    },
    {"role": "assistant", "content": RED},
    {"role": "user", "content": "Sure?"},
]
PLAIN = [
    ("system", "Be kind."),
    ("user", f"{WHAT} <image>"),
    ("assistant", RED),
    ("user", "Sure?"),
]


async def test_our_own_lines_have_messages(tmp_path: Path, red: Path) -> None:
    line = {"query_id": "q", "messages": ASKED, "response": "Yes."}
    query, response = await read(written(tmp_path, "own.jsonl", line))
    assert plain(query.messages) == PLAIN
    assert (query.text, response.text, response.turns) == ("Sure?", "Yes.", ())
    (image,) = query.images
    assert image.sha256 == hash_of(red)


async def test_the_last_turn_is_the_response_where_none_stands_apart(
    tmp_path: Path, red: Path
) -> None:
    line = {"query_id": "q", "messages": [*ASKED, {"role": "assistant", "content": "Yes."}]}
    query, response = await read(written(tmp_path, "own.jsonl", line))
    assert plain(query.messages) == PLAIN[:2]
    assert (plain(response.turns), response.text) == (PLAIN[2:], "Yes.")


async def test_a_response_that_is_there_twice_is_no_turn(tmp_path: Path, red: Path) -> None:
    whole = [*ASKED, {"role": "assistant", "content": "Yes."}]
    line = {"query_id": "q", "messages": whole, "response": "Yes."}
    query, response = await read(written(tmp_path, "own.jsonl", line))
    assert plain(query.messages) == PLAIN
    assert response.turns == ()


async def test_other_last_words_than_the_response_remain_a_turn(tmp_path: Path, red: Path) -> None:
    whole = [*ASKED, {"role": "assistant", "content": "Quite"}]
    line = {"query_id": "q", "messages": whole, "response": "Yes."}
    query, response = await read(written(tmp_path, "own.jsonl", line))
    assert plain(query.messages) == [*PLAIN, ("assistant", "Quite")]
    assert response.text == "Yes."


async def test_a_conversation_that_nobody_answered_is_an_error(tmp_path: Path, red: Path) -> None:
    query, response = await read(
        written(tmp_path, "own.jsonl", {"query_id": "q", "messages": ASKED})
    )
    assert query.id == "q"
    assert (response.outcome, response.text) == ("error", "")


async def test_columns_may_hold_messages_as_lists_or_as_json(tmp_path: Path) -> None:
    talk = [
        {"from": "human", "value": HI},
        {"from": "gpt", "value": "Ho"},
        {"from": "human", "value": "So?"},
    ]
    listed = written(tmp_path, "list.json", [{"talk": talk, "answer": "Yes."}])
    mapping = {"messages": "talk", "response": "answer"}
    query, response = await read(listed, mapping=mapping)
    expected = [("user", HI), ("assistant", "Ho"), ("user", "So?")]
    assert (plain(query.messages), response.text) == (expected, "Yes.")
    table = tmp_path / "table.csv"
    said = json.dumps(talk).replace('"', '""')
    table.write_text(f'id,messages\n7,"{said}"\n')
    query, response = await read(table)
    # Nothing stands after the last turn of the user.
    assert (query.id, query.text, query.messages) == ("7", HI, ())
    assert (plain(response.turns), response.outcome) == (expected[1:], "error")


async def test_a_prompt_of_promptfoo_may_be_a_conversation(tmp_path: Path, red: Path) -> None:
    url = data_url(red)
    image = {"type": "image_url", "image_url": {"url": url}}
    shown = {"role": "user", "content": [{"type": "text", "text": WHAT}, image]}
    raw = json.dumps([ASKED[0], shown, *ASKED[2:]])
    item = {
        "id": "a",
        "prompt": {"raw": raw, "label": "chat"},
        "response": {"output": "Yes."},
        "vars": {"query_id": "q"},
    }
    path = written(tmp_path, "promptfoo.json", {"evalId": "e", "results": {"results": [item]}})
    query, response = await read(path)
    assert plain(query.messages) == PLAIN
    assert query.images[0].sha256 == hash_of(red)
    assert response.text == "Yes."


async def test_an_attack_of_several_turns_by_promptfoo_follows_its_prompt(tmp_path: Path) -> None:
    talk = [
        {"role": "user", "content": HI},
        {"role": "assistant", "content": "Ho"},
        {"role": "user", "content": "So?"},
        {"role": "assistant", "content": "Yes."},
    ]
    item = {
        "id": "a",
        "prompt": {"raw": "Make it say yes", "label": "p"},
        "response": {"output": "Yes.", "metadata": {"messages": talk}},
    }
    path = written(tmp_path, "promptfoo.json", {"evalId": "e", "results": {"results": [item]}})
    query, response = await read(path)
    assert (query.text, query.messages) == ("Make it say yes", ())
    assert plain(response.turns) == [("user", HI), ("assistant", "Ho"), ("user", "So?")]
    assert response.text == "Yes."


def inspect_log(folder: Path, put: object, messages: Sequence[Mapping[str, object]]) -> Path:
    sample = {
        "id": "q",
        "epoch": 1,
        "input": put,
        "target": "",
        "messages": messages,
        "output": {
            "model": "one",
            "choices": [{"message": messages[-1], "stop_reason": "stop"}],
        },
    }
    about: dict[str, object] = {
        "created": "2025-01-01T00:00:00+00:00",
        "task": "t",
        "dataset": {},
        "model": "example/one",
        "config": {},
    }
    return written(folder, "log.json", {"version": 2, "eval": about, "samples": [sample]})


async def test_inputs_of_inspect_may_be_conversations(tmp_path: Path, red: Path) -> None:
    image = {"type": "image", "image": str(red.name)}
    shown = {"role": "user", "content": [{"type": "text", "text": WHAT}, image]}
    put = [ASKED[0], shown, *ASKED[2:]]
    path = inspect_log(tmp_path, put, [*put, {"role": "assistant", "content": "Yes."}])
    query, response = await read(path)
    assert plain(query.messages) == PLAIN
    assert (response.text, response.turns) == ("Yes.", ())


async def test_what_an_agent_of_inspect_did_belongs_to_its_response(
    tmp_path: Path, red: Path
) -> None:
    call = {"id": "c1", "function": "look_up", "arguments": {"of": 1}, "type": "function"}
    thought = {"type": "reasoning", "reasoning": "Hm."}
    seen = [{"type": "text", "text": "Found."}, {"type": "image", "image": "red.png"}]
    failed = {"type": "timeout", "message": "It took too long."}
    messages: list[dict[str, object]] = [
        {"role": "system", "content": "Use tools."},
        {"role": "user", "content": "Please: look it up."},
        {"role": "assistant", "content": [thought], "tool_calls": [call]},
        {"role": "tool", "content": seen, "tool_call_id": "c1", "function": "look_up"},
        {"role": "tool", "content": "", "tool_call_id": "c2", "error": failed},
        {"role": "user", "content": "Go on."},
        {"role": "assistant", "content": "Done."},
    ]
    path = inspect_log(tmp_path, "Look it up.", messages)
    query, response = await read(path)
    # The question is the sample's, with what the solver told the model before.
    assert plain(query.messages) == [("system", "Use tools."), ("user", "Look it up.")]
    assert plain(response.turns) == [
        ("assistant", 'look_up({"of":1})'),
        ("tool", "Found. <image>"),
        ("tool", "It took too long."),
        ("user", "Go on."),
    ]
    assert response.turns[0].tool_calls == (ToolCall("look_up", '{"of":1}', "c1"),)
    assert response.turns[1].parts[1] == MessagePart("image")
    assert (response.turns[1].tool_call_id, response.turns[1].name) == ("c1", "look_up")
    assert response.text == "Done."


async def test_prompts_of_garak_may_be_conversations(tmp_path: Path, red: Path) -> None:
    shown = {"text": WHAT, "lang": "en", "data_path": "red.png", "data_type": ["image/png", None]}
    turns = [
        {"role": "system", "content": {"text": "Be kind.", "lang": "en"}},
        {"role": "user", "content": shown},
        {"role": "assistant", "content": {"text": RED, "lang": "en"}},
        {"role": "user", "content": {"text": "Sure?", "lang": "en"}},
    ]
    attempt = {
        "entry_type": "attempt",
        "uuid": "q",
        "status": 2,
        "prompt": {"turns": turns},
        "outputs": [{"text": "Yes."}],
    }
    query, response = await read(written(tmp_path, "garak.report.jsonl", attempt))
    assert plain(query.messages) == PLAIN
    assert query.images[0].sha256 == hash_of(red)
    assert response.text == "Yes."


async def test_chat_prompts_of_lmms_eval_are_conversations(tmp_path: Path, red: Path) -> None:
    talk = [ASKED[0], {"role": "user", "content": WHAT}, *ASKED[2:]]
    item = {
        "doc_id": 1,
        "doc": {"n": 1},
        "arguments": {"gen_args_0": {"arg_0": [json.dumps(talk)], "arg_1": {"n": 1}}},
        "input_media": ["red.png"],
        "resps": [["Yes."]],
    }
    query, response = await read(written(tmp_path, "samples.jsonl", item))
    shown = ("user", f"<image> {WHAT}")
    assert plain(query.messages) == [PLAIN[0], shown, *PLAIN[2:]]
    assert query.images[0].sha256 == hash_of(red)
    assert response.text == "Yes."


@pytest.mark.parametrize("key", ["prompt", "messages"])
async def test_an_artifact_may_have_several_turns(key: str, tmp_path: Path, red: Path) -> None:
    item = {"index": 3, "goal": "Get a yes", "response": "Yes.", key: ASKED}
    path = written(tmp_path, "artifact.json", {"parameters": {}, "jailbreaks": [item]})
    query, response = await read(path)
    assert plain(query.messages) == PLAIN
    assert (query.underlying_request, response.text) == ("Get a yes", "Yes.")


async def test_a_batch_of_openai_asks_conversations(tmp_path: Path) -> None:
    """The input of a batch is the set, and its output the responses."""
    talk = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": HI}]
    body = {"model": "m", "messages": talk}
    asked = written(tmp_path, "in.jsonl", {"custom_id": "q", "method": "POST", "body": body})
    (query,) = load_set("jsonl", asked, mapping={"id": "custom_id", "messages": "body.messages"})
    assert plain(query.messages) == [("system", "Be kind."), ("user", HI)]
    answer = {"choices": [{"message": {"role": "assistant", "content": "Ho"}}]}
    said = {"custom_id": "q", "response": {"status_code": 200, "body": answer}, "error": None}
    target = RecordedTarget("t", written(tmp_path, "out.jsonl", said))
    response = await target.respond(query, epoch=0, call_id="c")
    assert (response.text, response.notes) == ("Ho", ())


async def test_a_transcript_of_a_sets_conversation_is_no_response_as_a_whole(
    tmp_path: Path, red: Path
) -> None:
    """A file that repeats the set's turns has those alone as the target's that follow."""
    since = [
        {"role": "assistant", "content": "Hm."},
        {"role": "user", "content": "Well?"},
        {"role": "assistant", "content": "Yes."},
    ]
    line = {"query_id": "q", "messages": [*ASKED, *since]}
    target = RecordedTarget("t", written(tmp_path, "own.jsonl", line))
    known = (await read(target.path)).query
    whole = written(tmp_path, "asked.jsonl", {"query_id": "q", "messages": ASKED, "response": "x"})
    query = (await read(whole)).query
    response = await target.respond(query, epoch=0, call_id="c")
    assert plain(response.turns) == [("assistant", "Hm."), ("user", "Well?")]
    assert response.notes == ()
    other = of_messages(known, (Message("user", (MessagePart("text", "Ha"),)),))
    assert (await target.respond(other, epoch=0, call_id="c")).notes == (OTHER_WORDS_NOTE,)


async def test_turns_beyond_a_sets_plain_question_belong_to_the_response(tmp_path: Path) -> None:
    talk = [
        {"role": "user", "content": HI},
        {"role": "assistant", "content": "Hm."},
        {"role": "user", "content": "Well?"},
    ]
    line = {"query_id": "q", "messages": talk, "response": "Yes."}
    target = RecordedTarget("t", written(tmp_path, "o.jsonl", line))
    whole = written(tmp_path, "asked.jsonl", {"query_id": "q", "text": HI, "response": "x"})
    query = (await read(whole)).query
    response = await target.respond(query, epoch=0, call_id="c")
    assert plain(response.turns) == [("assistant", "Hm."), ("user", "Well?")]
    assert (response.text, response.notes) == ("Yes.", ())


async def test_a_picture_alone_may_begin_a_transcript(tmp_path: Path, red: Path) -> None:
    talk = [
        {"role": "user", "content": [{"type": "image", "path": "red.png"}]},
        {"role": "assistant", "content": "Hm."},
        {"role": "user", "content": "Well?"},
        {"role": "assistant", "content": "Yes."},
    ]
    query, response = await read(written(tmp_path, "o.jsonl", {"query_id": "q", "messages": talk}))
    assert query.images[0].sha256 == hash_of(red)
    assert plain(response.turns) == [("assistant", "Hm."), ("user", "Well?")]
    assert response.notes == ()


async def test_a_text_that_is_not_what_a_conversation_asks_last_is_noted(tmp_path: Path) -> None:
    talk = [ASKED[0], *ASKED[2:]]
    whole = written(tmp_path, "asked.jsonl", {"query_id": "q", "messages": talk, "response": "x"})
    query = (await read(whole)).query
    for text, notes in (("Sure?", ()), ("Ha", (OTHER_WORDS_NOTE,))):
        line = {"query_id": "q", "text": text, "response": "Yes."}
        target = RecordedTarget("t", written(tmp_path, "own.jsonl", line))
        assert (await target.respond(query, epoch=0, call_id="c")).notes == notes


async def test_a_transcript_may_begin_with_the_only_turn_before_the_model_speaks(
    tmp_path: Path,
) -> None:
    """What the set asks after it is not taken for the target's way to its last words."""
    asked = [
        {"role": "user", "content": HI},
        {"role": "assistant", "content": "Hm."},
        {"role": "user", "content": "Well?"},
    ]
    on = [*asked, {"role": "assistant", "content": "Yes."}]
    target = RecordedTarget("t", written(tmp_path, "o.jsonl", {"query_id": "q", "messages": on}))
    whole = written(tmp_path, "asked.jsonl", {"query_id": "q", "messages": asked, "response": "x"})
    query = (await read(whole)).query
    response = await target.respond(query, epoch=0, call_id="c")
    assert (response.text, response.turns, response.notes) == ("Yes.", (), ())
    asked[1]["content"] = "Ha."
    whole = written(tmp_path, "asked.jsonl", {"query_id": "q", "messages": asked, "response": "x"})
    other = (await read(whole)).query
    response = await target.respond(other, epoch=0, call_id="c")
    assert response.notes == (OTHER_WORDS_NOTE,)


async def test_a_system_message_is_no_other_question(tmp_path: Path) -> None:
    talk = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": HI}]
    line = {"query_id": "q", "messages": talk, "response": "Ho"}
    target = RecordedTarget("t", written(tmp_path, "own.jsonl", line))
    short = written(tmp_path, "short.jsonl", {"query_id": "q", "text": HI, "response": "x"})
    query = (await read(short)).query
    assert (await target.respond(query, epoch=0, call_id="c")).notes == ()


OTHERS = [
    ([*ASKED[:2], {"role": "assistant", "content": "A hare."}, ASKED[3]], "asks something else"),
    ([*ASKED[:2], ASKED[2] | {"role": "user"}, ASKED[3]], "asks it in another conversation"),
]


@pytest.mark.parametrize(("other", "why"), OTHERS)
def test_the_same_id_is_the_same_conversation(
    other: object, why: str, tmp_path: Path, red: Path
) -> None:
    lines = [
        {"query_id": "q", "messages": messages, "response": "Yes.", "epoch": epoch}
        for epoch, messages in enumerate((ASKED, ASKED, other))
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    target = RecordedTarget("t", path)
    (query,) = RecordedQuestions([target])
    assert plain(query.messages) == PLAIN
    assert [str(row) for row in target.all_left_out()] == [
        f"line 3: {why} than an earlier row under 'q'"
    ]


def test_models_that_were_asked_the_same_are_matched_by_all_turns(tmp_path: Path) -> None:
    def talk(said: str) -> list[dict[str, str]]:
        turns = (("user", HI), ("assistant", said), ("user", "So?"))
        return [{"role": role, "content": text} for role, text in turns]

    rows = [
        {"model": model, "messages": talk(said), "response": "x"}
        for model, said in (("a", "One"), ("a", "Two"), ("b", "Two"), ("b", "One"))
    ]
    path = written(tmp_path, "table.json", rows)
    targets = [RecordedTarget(name, path, model=name) for name in "ab"]
    queries = list(RecordedQuestions(targets))
    assert [query.messages[1].text for query in queries] == ["One", "Two"]
    assert [list(target.all_left_out()) for target in targets] == [[], []]


async def test_last_words_may_come_with_a_call(tmp_path: Path) -> None:
    call = {"id": "c1", "function": "submit", "arguments": {"n": 1}, "type": "function"}
    last = {"role": "assistant", "content": "Done.", "tool_calls": [call]}
    path = inspect_log(tmp_path, HI, [{"role": "user", "content": HI}, last])
    _, response = await read(path)
    assert (plain(response.turns), response.text) == ([("assistant", 'submit({"n":1})')], "Done.")


UNUSABLE: list[tuple[object, str]] = [
    ([{"role": "robot", "content": HI}], "has a message of 'robot', which is none of system"),
    ([HI], "has a message of null"),
    (
        [{"role": "user", "content": [{"type": "file", "file_id": "f"}]}],
        "has a part of type 'file', which no jury can be shown",
    ),
    (
        [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"id": "f"}}]}],
        "has a sound that is not in the file",
    ),
    ([{"role": "user", "content": HI}] * 1001, "has 1,001 messages, more than 1,000"),
]


@pytest.mark.parametrize(("messages", "why"), UNUSABLE, ids=lambda value: str(value)[:40])
def test_messages_that_cannot_be_shown_are_left_out(
    messages: object, why: str, tmp_path: Path
) -> None:
    lines = [
        {"query_id": "good", "response": "x", "text": HI},
        {"query_id": "bad", "response": "x", "messages": messages},
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    (left_out,) = RecordedTarget("t", path).all_left_out()
    assert left_out.place == "line 2"
    assert left_out.why.startswith(why)


async def test_tools_are_read_as_anthropic_and_older_files_write_them(tmp_path: Path) -> None:
    talk = [
        {"role": "user", "content": HI},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "c1", "name": "look_up", "input": {"of": 1}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "Found."}],
        },
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "Done."},
    ]
    line = {"query_id": "q", "messages": talk, "response": "Ho"}
    query, _ = await read(written(tmp_path, "own.jsonl", line))
    assert plain(query.messages) == [
        ("user", HI),
        ("assistant", 'I look. look_up({"of":1})'),
        ("tool", "Found."),
        ("assistant", "f({})"),
        ("tool", "Done."),
    ]
    assert query.messages[2].tool_call_id == "c1"
    assert query.messages[4].name == "f"
