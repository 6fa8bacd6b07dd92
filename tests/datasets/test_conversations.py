"""Query files whose queries are conversations."""

import json
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from safejury.common import DatasetError
from safejury.datasets import (
    Media,
    MediaStore,
    Message,
    MessagePart,
    PicturePool,
    Query,
    ToolCall,
    image_variant,
    load_dataset,
    load_set,
    select_parts,
    write_jsonl,
)

QueryFile = Callable[..., Path]
KNOWN = {"id": "one", "scenario": "ethics.bioethics", "intent": "benign"}
CALL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"of": 1}'}}
TURNS: list[dict[str, object]] = [
    {"role": "system", "content": "You are kind."},
    {
        "role": "user",
        "content": [
            {"type": "image", "path": "images/red.png"},
            {"type": "text", "text": "What is this?"},
            {"type": "video", "path": "film.mp4"},
        ],
    },
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "content": "A square.", "tool_call_id": "c1", "name": "look_up"},
    {"role": "assistant", "content": "A square."},
    {
        "role": "user",
        "content": [
            {"type": "audio", "path": "hm.flac"},
            {"type": "image", "path": "images/blue.png"},
            {"type": "text", "text": "And this?"},
        ],
    },
]


@pytest.fixture
def conversation(query_file: QueryFile, picture: Path) -> Path:
    """A set of one conversation, with media in several turns."""
    pytest.importorskip("av")
    folder = picture.parent.parent
    Image.new("RGB", (8, 8), "blue").save(picture.with_name("blue.png"))
    shutil.copy(Path(__file__).parents[1] / "data" / "summer.flac", folder / "hm.flac")
    # Nothing looks into a video, so its first bytes are enough.
    (folder / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42 and more")
    return query_file(KNOWN | {"messages": TURNS})


def only(path: Path) -> Query:
    (query,) = load_dataset(path)
    return query


def test_a_conversation_keeps_its_turns(conversation: Path) -> None:
    query = only(conversation)
    assert [turn.role for turn in query.messages] == [turn["role"] for turn in TURNS]
    first, call, result = query.messages[1], query.messages[2], query.messages[3]
    assert [part.kind for part in first.parts] == ["image", "text", "video"]
    assert first.text == "What is this?"
    assert call.tool_calls == (ToolCall("look_up", '{"of": 1}', "c1"),)
    assert (result.tool_call_id, result.name, result.text) == ("c1", "look_up", "A square.")


def test_text_and_media_of_a_conversation_are_those_of_its_turns(conversation: Path) -> None:
    query = only(conversation)
    assert query.text == "And this?"
    assert [Path(image.path).name for image in query.images] == ["red.png", "blue.png"]
    assert query.audio is not None
    assert query.audio.media_type == "audio/flac"
    assert query.sounds == (query.audio,)
    kinds = [medium.media_type for medium in query.media]
    assert kinds == ["image/png", "video/mp4", "audio/flac", "image/png"]


def test_a_conversation_is_written_as_it_is_read(conversation: Path, tmp_path: Path) -> None:
    written = tmp_path / "elsewhere" / "set.jsonl"
    dataset = load_dataset(conversation)
    write_jsonl(written, dataset)
    again = load_dataset(written)
    assert again.sha256 == dataset.sha256
    data = json.loads(written.read_text())
    assert "text" not in data
    assert "image" not in data
    assert data["messages"][2:5] == TURNS[2:5]
    copied = data["messages"][1]["content"][2]["path"]
    assert copied.startswith("media/")
    assert copied.endswith(".mp4")
    assert (written.parent / copied).read_bytes().startswith(b"\0\0\0\x18ftyp")


def test_the_sound_of_a_conversation_is_no_factor(conversation: Path) -> None:
    """Its words are not those of the user's last turn, which would be sent in its place."""
    query = only(conversation)
    assert select_parts(query, "given") == query
    for parts in ("text", "audio", "audio+text"):
        with pytest.raises(DatasetError, match="'one' is a conversation, whose sound is not its"):
            select_parts(query, parts)


@pytest.mark.parametrize(
    "change",
    [
        {"role": "user", "content": "What is that?"},
        {"role": "system", "content": "What is this?"},
        {"role": "user", "content": [{"type": "image", "path": "images/red.png"}]},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_every_turn_is_part_of_what_a_set_is_known_by(
    change: object, query_file: QueryFile, picture: Path
) -> None:
    hashes: set[str] = set()
    for turn in ({"role": "user", "content": "What is this?"}, change):
        turns = [turn, {"role": "user", "content": "And so?"}]
        hashes.add(load_dataset(query_file(KNOWN | {"messages": turns})).sha256)
    assert len(hashes) == 2


def user(content: object) -> list[dict[str, object]]:
    return [{"role": "user", "content": content}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"messages": []}, "'messages' is empty; write the turns, or give 'text' instead"),
        ({"messages": "Hi"}, "'messages' must be a list, not 'Hi'"),
        ({"messages": ["Hi"]}, "'messages[0]' must hold a JSON object, not 'Hi'"),
        ({"messages": user(3)}, "'messages[0].content' must be a list, not a number"),
        ({"messages": user("  ")}, "says nothing"),
        ({"messages": [{"content": "Hi"}]}, "key 'messages[0].role' is missing"),
        ({"messages": [{"role": "robot"}]}, "'messages[0].role' must be 'system', 'user', "),
        ({"messages": [{"role": "user", "text": "Hi"}]}, "unknown key 'messages[0].text'"),
        (
            {"messages": user([{"type": "image", "text": "Hi"}])},
            "'messages[0].content[0]' is of type 'image': give it 'path', not 'text'",
        ),
        (
            {"messages": user([{"type": "image_url", "path": "a.png"}])},
            "'messages[0].content[0].type' must be 'text', 'image', 'audio' or 'video'",
        ),
        ({"messages": user([{"type": "image", "path": "../a.png"}])}, "leads out of the file's"),
        ({"messages": user([{"type": "image", "path": "a.png"}])}, "image 'a.png' does not exist"),
        (
            {"messages": [*user("Hi"), {"role": "assistant", "content": "Hi"}]},
            "'messages' ends with a turn of the assistant; a model answers one of the user or",
        ),
        (
            {"messages": [{"role": "user", "content": "Hi", "tool_calls": [CALL]}]},
            "'messages[0].tool_calls' belongs to an assistant, not to a user",
        ),
        ({"messages": user("Hi") * 1001}, "has 1,001 turns, more than 1,000"),
        ({"messages": user("Hi"), "text": "Ho"}, "'text' is not what the user says last"),
        ({"messages": user("Hi"), "image": "a.png"}, "go into its 'messages', not beside them"),
        ({}, "'messages' instead of 'text'"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_an_error_names_the_turn(
    changes: dict[str, object], message: str, query_file: QueryFile
) -> None:
    path = query_file(KNOWN | changes)
    with pytest.raises(DatasetError) as error:
        load_dataset(path)
    assert str(error.value).startswith(f"{path}:1: ")
    assert message in str(error.value)


def test_a_text_that_repeats_the_last_turn_is_no_contradiction(query_file: QueryFile) -> None:
    query = only(query_file(KNOWN | {"messages": user("Hi"), "text": "Hi"}))
    assert query.messages == (Message("user", (MessagePart("text", "Hi"),)),)


def test_pictures_of_all_turns_are_varied(conversation: Path, tmp_path: Path) -> None:
    query = only(conversation)

    def varied(name: str) -> Query:
        store, pool = MediaStore(tmp_path / "made"), PicturePool([query])
        return image_variant(name).apply(query, seed=1, store=store, others=pool)

    def shown(of: Query) -> list[Media | None]:
        parts = (part for turn in of.messages for part in turn.parts)
        return [part.media for part in parts if part.kind == "image"]

    black = varied("black")
    assert shown(black) == list(black.images)
    assert not {image.sha256 for image in black.images} & {image.sha256 for image in query.images}
    none = varied("none")
    assert (none.images, shown(none)) == ((), [])
    assert none.text == "And this?"
    assert none.sounds == query.sounds


def test_a_plain_table_may_have_conversations(tmp_path: Path, picture: Path) -> None:
    address = f"data:image/png;base64,{b64encode(picture.read_bytes()).decode()}"
    shown = [
        {"type": "image_url", "image_url": {"url": address}},
        {"type": "image", "path": "set/images/red.png"},
        {"type": "text", "text": "Which?"},
    ]
    rows: list[object] = [
        {"id": "a", "messages": [*TURNS[:1], {"role": "user", "content": shown}]},
        {"id": "b", "messages": json.dumps(user("Hi"))},
        {"id": "c", "messages": [{"role": "assistant", "content": "Hi"}]},
        {"id": "d", "messages": "Hi"},
        {"id": "e", "messages": user("Hi"), "image": "set/images/red.png"},
        {"id": "f", "messages": user([{"type": "file", "file": {"file_id": "x"}}])},
    ]
    table = tmp_path / "table.jsonl"
    table.write_text("\n".join(map(json.dumps, rows)))
    loaded = load_set("jsonl", table)
    first, second = loaded
    assert [turn.role for turn in first.messages] == ["system", "user"]
    assert (first.text, [image.size for image in first.images]) == (
        "Which?",
        [picture.stat().st_size] * 2,
    )
    assert (second.text, second.messages) == ("Hi", ())
    unanswered, no_list, beside, unknown = (item.why for item in loaded.left_out())
    assert unanswered.startswith("'messages' ends with a turn of the assistant")
    assert no_list == "the messages must be a list, not 'Hi'"
    assert beside == "has pictures or a sound beside its messages: name them within"
    assert unknown == "has a part of type 'file', which no jury can be shown"
    write_jsonl(tmp_path / "out" / "set.jsonl", loaded)
    written = list(load_dataset(tmp_path / "out" / "set.jsonl"))
    assert [turn.role for turn in written[0].messages] == ["system", "user"]
    assert [image.read() for image in written[0].images] == [picture.read_bytes()] * 2


def test_a_column_that_is_only_called_messages_is_left_alone_beside_a_text(
    tmp_path: Path,
) -> None:
    table = tmp_path / "table.jsonl"
    table.write_text(json.dumps({"text": "Why?", "messages": user("Hi"), "kind": 3}))
    (query,) = load_set("jsonl", table)
    assert (query.text, query.messages) == ("Why?", ())
    talk = [*user("Hi"), {"role": "assistant", "content": "Ho"}, *user("So?")]
    table.write_text(json.dumps({"text": "Why?", "messages": talk}))
    (query,) = load_set("jsonl", table, mapping={"messages": "messages"})
    assert (query.text, len(query.messages)) == ("So?", 3)
