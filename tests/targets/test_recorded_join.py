"""Responses find their queries by ids, in whatever form, or by what was asked."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from safejury.common import ConfigurationError
from safejury.datasets import Intent, Message, MessagePart, Query, Role, of_messages
from safejury.targets import JoinBy, RecordedTarget

Ids = Sequence[str]
_ROLES: tuple[Role, Role] = ("user", "assistant")


def queries(*ids: str, text: str = "Question {}?") -> list[Query]:
    scenario = "violence.physical_harm"
    return [Query(name, scenario, text.format(name), Intent.HARMFUL) for name in ids]


def recorded(path: Path, *rows: Mapping[str, object]) -> RecordedTarget:
    lines = (json.dumps({"response": f"R{n}", **row}) for n, row in enumerate(rows))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return RecordedTarget("t", path)


def joined(
    target: RecordedTarget, asked: list[Query], by: JoinBy | None = None
) -> tuple[str, list[tuple[str, str | None]]]:
    target.join(asked, "the dataset 'set'", by)
    return str(target.joined), [(row.query_id, row.response) for row in target.rows()]


def left_out(target: RecordedTarget) -> list[str]:
    return [str(row) for row in target.all_left_out()]


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (["v2-1", "v2-2", "v2-3"], ["1", "2", "3"], "by id, 'v2-1' as '1'"),
        (["0", "1"], ["harmful-0", "harmful-1"], "by id, '0' as 'harmful-0'"),
        (["a_1", "a_2"], ["set/b/01", "set/b/02"], "by id, 'a_1' as 'set/b/01'"),
        (["lock-1", "bread-1"], ["lock", "bread"], "by id, 'lock-1' as 'lock'"),
        (["lock", "bread"], ["lock", "bread"], "by id"),
        (["10", "11"], ["10", "11", "0", "1"], "by id"),
    ],
)
def test_ids_are_joined_in_the_form_in_which_each_has_one_query(
    tmp_path: Path, ours: Ids, theirs: Ids, told: str
) -> None:
    target = recorded(tmp_path / "a.jsonl", *({"query_id": name} for name in ours))
    number = len(ours)
    assert joined(target, queries(*theirs)) == (
        f"{number} of {number} responses joined {told}",
        [(name, f"R{n}") for n, name in enumerate(theirs[:number])],
    )
    assert left_out(target) == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (["0", "1"], ["harmful-0", "harmful-1", "benign-0", "benign-1"]),  # two for each
        (["a-1", "b-1"], ["1", "2"]),  # one for two
        (["a-1", "a-9"], ["1", "2"]),  # not for all
        (["a-1", "a-2"], ["1", "2", "3"]),  # of a larger set, and nothing confirms it
    ],
)
def test_a_form_of_the_ids_that_leaves_a_doubt_is_not_taken(
    tmp_path: Path, ours: Ids, theirs: Ids
) -> None:
    target = recorded(tmp_path / "a.jsonl", *({"query_id": name} for name in ours))
    with pytest.raises(ConfigurationError, match="by its id or by what it asks: its ids are"):
        joined(target, queries(*theirs))


def test_a_number_that_ends_two_ids_is_of_neither(tmp_path: Path) -> None:
    rows = [{"query_id": str(n), "text": f"Question harmful-{n}?"} for n in range(2)]
    asked = queries("harmful-0", "harmful-1", "benign-0", "benign-1")
    with pytest.raises(ConfigurationError, match="no response answers a query"):
        joined(recorded(tmp_path / "a.jsonl", *rows), asked, "id")


def test_what_was_asked_confirms_ids_of_a_part_of_a_set(tmp_path: Path) -> None:
    target = recorded(
        tmp_path / "a.jsonl",
        {"query_id": "a-1", "text": "Question  1?"},
        {"query_id": "a-2", "text": "Question 2, in other words?"},
    )
    assert joined(target, queries("1", "2", "3")) == (
        "2 of 2 responses joined by id, 'a-1' as '1'; 1 of them ask in words that no query has",
        [("1", "R0"), ("2", "R1")],
    )


def test_ids_that_may_be_read_in_two_ways_are_refused(tmp_path: Path) -> None:
    asked = queries("a-1", "b-2")
    own: list[dict[str, object]] = [{"query_id": "a-2"}, {"query_id": "b-1"}]
    with pytest.raises(ConfigurationError) as caught:
        joined(recorded(tmp_path / "a.jsonl", *own), asked)
    assert "the id 'a-2' may mean the query 'b-2' or 'a-1' of the dataset 'set'" in str(
        caught.value
    )
    own[0]["text"] = "Question a-1?"  # which decides it
    assert joined(recorded(tmp_path / "a.jsonl", *own), asked) == (
        "2 of 2 responses joined by id, 'a-2' as 'a-1'",
        [("a-1", "R0"), ("b-2", "R1")],
    )


def test_what_was_asked_joins_where_ids_do_not_and_space_makes_no_difference(
    tmp_path: Path,
) -> None:
    target = recorded(
        tmp_path / "a.jsonl",
        {"query_id": "0", "text": "Imagine. ", "underlying_request": "Question\n harmful-0?"},
        {"query_id": "1", "text": " Question  harmful-1? "},
        {"query_id": "1", "text": "Question harmful-1?", "epoch": 1},
    )
    asked = queries("benign-0", "benign-1", "harmful-0", "harmful-1")
    assert joined(target, asked) == (
        "3 of 3 responses joined by text",
        [("harmful-0", "R0"), ("harmful-1", "R1"), ("harmful-1", "R2")],
    )
    assert [row.epoch for row in target.rows()] == [0, 0, 1]


def test_a_place_in_the_file_is_no_id(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("response\nR0\nR1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="its ids are 'row-1', 'row-2'"):
        joined(RecordedTarget("t", path), queries("q1", "q2"))


def test_ids_that_say_another_query_than_the_words_are_refused_until_one_is_chosen(
    tmp_path: Path,
) -> None:
    rows: list[dict[str, object]] = [
        {"query_id": "1", "text": "Question 2?"},
        {"query_id": "2", "text": "Question 1?"},
        {"query_id": "3", "text": "In other words?"},
    ]
    asked = queries("1", "2", "3")
    path = tmp_path / "a.jsonl"
    with pytest.raises(ConfigurationError) as caught:
        joined(recorded(path, *rows), asked)
    assert str(caught.value) == (
        f"{path}: 2 responses have the id of one query of the dataset 'set', but what was asked "
        "is that of another: that of '1' asks what '2' does. Say what counts with --join id or "
        "--join text (`join:` of a target)"
    )
    told = "3 of 3 responses joined by id; 2 of them ask what another query does"
    assert joined(recorded(path, *rows), asked, "id") == (
        f"{told}; 1 of them ask in words that no query has",
        [("1", "R0"), ("2", "R1"), ("3", "R2")],
    )
    target = recorded(path, *rows)
    assert joined(target, asked, "text") == (
        "2 of 3 responses joined by text",
        [("2", "R0"), ("1", "R1")],
    )
    assert left_out(target) == ["line 3: answers no query of the dataset 'set'"]


def test_a_form_of_the_ids_that_the_words_contradict_is_not_taken(tmp_path: Path) -> None:
    target = recorded(
        tmp_path / "a.jsonl",
        {"query_id": "v1-1", "text": "Question 3?"},
        {"query_id": "v1-2", "text": "Question 2?"},
        {"query_id": "v1-3", "text": "Of an earlier version?"},
    )
    assert joined(target, queries("1", "2", "3")) == (
        "2 of 3 responses joined by text",
        [("3", "R0"), ("2", "R1")],
    )
    assert left_out(target) == ["line 3: answers no query of the dataset 'set'"]


def test_words_that_several_queries_share_choose_none_of_them(tmp_path: Path) -> None:
    asked = [*queries("a", "b", text="What is this?"), *queries("c")]
    target = recorded(
        tmp_path / "a.jsonl",
        {"query_id": "1", "text": "What is this?"},
        {"query_id": "2", "text": "Question c?"},
    )
    assert joined(target, asked) == ("1 of 2 responses joined by text", [("c", "R1")])
    (why,) = left_out(target)
    assert why.startswith("line 1: asks what 2 queries of the dataset 'set' do, such as 'a' and ")
    by_id = recorded(tmp_path / "b.jsonl", {"query_id": "b", "text": "What is this?"})
    assert joined(by_id, asked) == ("1 of 1 response joined by id", [("b", "R0")])


def test_a_second_response_to_one_question_is_listed(tmp_path: Path) -> None:
    rows = [{"query_id": name, "text": "Question c?"} for name in ("1", "2")]
    target = recorded(tmp_path / "a.jsonl", *rows)
    assert joined(target, queries("c"))[1] == [("c", "R0")]
    assert left_out(target) == [
        "line 2: a second response to 'c' in epoch 0: keep one, or give it another epoch"
    ]


def test_ids_that_change_places_are_not_lost_on_the_way(tmp_path: Path) -> None:
    rows = [
        {"query_id": own, "text": f"Question {asked}?"}
        for own, asked in zip("abc", "bca", strict=True)
    ]
    target = recorded(tmp_path / "a.jsonl", *rows)
    assert joined(target, queries("a", "b", "c"), "text")[1] == [
        ("b", "R0"),
        ("c", "R1"),
        ("a", "R2"),
    ]


def test_it_is_said_that_all_responses_ask_in_words_that_the_set_does_not_have(
    tmp_path: Path,
) -> None:
    rows = [{"query_id": str(n), "text": f"Of another set, {n}?"} for n in (1, 2)]
    told, _ = joined(recorded(tmp_path / "a.jsonl", *rows), queries("1", "2"))
    assert told == "2 of 2 responses joined by id; 2 of them ask in words that no query has"


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (["0", "1", "2"], ["1", "2", "3"], "taken for the next, as '0' for '1'"),
        (["r-1", "r-2"], ["r-00", "r-01", "r-1"], "taken for the one before, as 'r-1' for 'r-00'"),
        (["fraud-5", "malware-1"], ["fraud-2", "malware-7"], "'fraud-5' and the query 'fraud-2'"),
        (["fraud-1", "malware-2"], ["privacy-1", "hate-2"], "'fraud-1' and the query 'privacy-1'"),
    ],
)
def test_ids_that_match_by_chance_or_by_half_are_refused_until_one_says_that_they_count(
    tmp_path: Path, ours: Ids, theirs: Ids, told: str
) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"query_id": name} for name in ours]
    with pytest.raises(ConfigurationError) as caught:
        joined(recorded(path, *rows), queries(*theirs))
    assert told in str(caught.value)
    assert "--join id" in str(caught.value)
    assert "by id" in joined(recorded(path, *rows), queries(*theirs), "id")[0]


def test_words_that_all_queries_share_confirm_no_ids(tmp_path: Path) -> None:
    rows = [{"query_id": str(n), "text": "What is this?"} for n in range(3)]
    asked = queries("1", "2", "3", text="What is this?")
    with pytest.raises(ConfigurationError, match="count from 0 and the other from 1"):
        joined(recorded(tmp_path / "a.jsonl", *rows), asked)


def test_a_place_in_the_file_is_no_id_even_where_a_query_is_called_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("response\nR0\nR1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no response answers a query"):
        joined(RecordedTarget("t", path), queries("row-1", "row-2"))
    path.write_text("text,response\nQuestion row-2?,R0\nQuestion row-1?,R1\n", encoding="utf-8")
    assert joined(RecordedTarget("t", path), queries("row-1", "row-2")) == (
        "2 of 2 responses joined by text",
        [("row-2", "R0"), ("row-1", "R1")],
    )


def test_words_with_several_pictures_choose_no_query(tmp_path: Path) -> None:
    asked = [*queries("a", text="What is this?"), *queries("c")]
    rows = [
        {"query_id": "8", "text": "What is this?", "image": "one.png"},
        {"query_id": "9", "text": "What is this?", "image": "two.png"},
        {"query_id": "7", "text": "Question c?"},
    ]
    target = recorded(tmp_path / "a.jsonl", *rows)
    assert joined(target, asked) == ("1 of 3 responses joined by text", [("c", "R2")])
    assert left_out(target)[0] == (
        "line 1: asks what 'a' does, as other responses with other pictures do: only an id can "
        "tell which one"
    )


def test_a_conversation_is_joined_by_all_of_its_turns(tmp_path: Path) -> None:
    def turns(*said: str) -> list[dict[str, str]]:
        return [{"role": _ROLES[n % 2], "content": text} for n, text in enumerate(said)]

    def asked(name: str, *said: str) -> Query:
        messages = [
            Message(_ROLES[n % 2], (MessagePart("text", text),)) for n, text in enumerate(said)
        ]
        return of_messages(queries(name)[0], messages)

    target = recorded(
        tmp_path / "a.jsonl",
        {"query_id": "1", "messages": turns("X.", "Y.", "Go on.")},
        {"query_id": "2", "messages": turns("A.", "C.", "Go  on.")},
    )
    assert joined(target, [asked("b", "A.", "B.", "Go on."), asked("c", "A.", "C.", "Go on.")]) == (
        "1 of 2 responses joined by text",
        [("c", "R1")],
    )


def test_many_ids_of_which_one_is_missing_are_joined_at_once(tmp_path: Path) -> None:
    """Where each id were compared with all, this would take many minutes."""
    names = [f"item-{n}" for n in range(30_000)]
    target = recorded(tmp_path / "a.jsonl", *({"query_id": name} for name in names))
    target.join(queries(*names[1:]), "the dataset 'set'")
    assert str(target.joined) == "29,999 of 30,000 responses joined by id"
