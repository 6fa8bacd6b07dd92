"""Words of models cannot act on the terminal or the page that shows them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safejury.common import escape_controls, escape_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("safe\rUNSAFE", "safe\\x0dUNSAFE"),
        ("a\x08b", "a\\x08b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("pass\u200bword", "pass\\u200bword"),
        ("\ufeffstart", "\\ufeffstart"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("one\u2028two", "one\\u2028two"),
        ("\u3164", "\\u3164"),
    ],
)
def test_what_is_not_plain_text_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert escape_controls(text) == shown


@pytest.mark.parametrize(
    "text", ["naïve — 漢字 …", "one\ntwo\tthree", "🙂 ok", "[bold]kept[/bold]"]
)
def test_plain_text_passes_unchanged(text: str) -> None:
    assert escape_controls(text) == text


def test_line_ends_of_other_systems_become_line_feeds() -> None:
    assert escape_controls("one\r\ntwo") == "one\ntwo"


def test_what_the_output_cannot_hold_is_escaped() -> None:
    assert escape_controls("naïve 漢", encoding="latin-1") == "naïve \\u6f22"


def test_a_name_stays_in_one_line() -> None:
    assert escape_line("a\nb\t c") == "a b c"


@given(st.text(st.characters(codec=None)))
def test_no_control_or_format_character_survives(text: str) -> None:
    left = {unicodedata.category(char) for char in escape_controls(text)} - {"Zs"}
    controls = {char for char in escape_controls(text) if unicodedata.category(char) == "Cc"}
    assert not left & {"Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert controls <= {"\n", "\t"}
    escape_controls(text).encode()
