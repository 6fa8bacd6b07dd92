"""An exported transcript needs nothing from the network and runs nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from safejury.agents import Case
from safejury.common import ConfigurationError
from safejury.deliberation import (
    BallotsRevealed,
    CaseOpened,
    Entry,
    SeatInfo,
    SummedUp,
    export_transcript,
)
from safejury.targets import Response, ResponseOutcome

MARKUP = (
    '</code></pre><script>alert(1)</script><img src="http://evil.test/x.png">'
    " ![x](http://evil.test/y.png) [a](javascript:1) ```` ~~~~ | {code} & \x1b[2J"
)
SUFFIXES = ["html", "svg", "md"]


def exported(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], path: Path, *, reveal: bool = True
) -> str:
    export_transcript(
        entries, jury, path, target="my-model", protocol="contested", reveal=reveal, elapsed_s=12.4
    )
    return path.read_text(encoding="utf-8")


@pytest.fixture
def hostile(entries: tuple[Entry, ...], case: Case) -> tuple[Entry, ...]:
    opened, revealed = entries[0], entries[1]
    assert isinstance(opened, CaseOpened)
    assert isinstance(revealed, BallotsRevealed)
    bad_case = replace(
        case,
        query=replace(case.query, id=MARKUP, text=MARKUP),
        response=Response(ResponseOutcome.ANSWERED, MARKUP),
    )
    ballots = tuple(replace(ballot, reason=MARKUP) for ballot in revealed.ballots)
    return (
        CaseOpened(case.id, 0, bad_case),
        replace(revealed, ballots=ballots),
        SummedUp(case.id, 2, MARKUP),
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_form_tells_the_whole_story(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], tmp_path: Path, suffix: str
) -> None:
    text = exported(entries, jury, tmp_path / f"transcript.{suffix}")
    text = text.replace("\xa0", " ").replace("&#160;", " ")
    for words in ("my-model", "landlord", "Sceptic", "unparsed", "sums up", "12 calls"):
        assert words in text, words


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_form_refers_to_the_network_by_itself(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], tmp_path: Path, suffix: str
) -> None:
    text = exported(entries, jury, tmp_path / f"transcript.{suffix}")
    assert re.findall(r"https?://[^\"' ]+", text) in ([], ["http://www.w3.org/2000/svg"])
    assert "@import" not in text
    assert "url(http" not in text


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_question_and_response_are_withheld_unless_asked_for(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], tmp_path: Path, suffix: str
) -> None:
    text = exported(entries, jury, tmp_path / f"transcript.{suffix}", reveal=False)
    assert "landlord" not in text
    assert "withheld" in text


class Tags(HTMLParser):
    """Collects the elements that a browser would make."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)


def test_words_cannot_become_html(
    hostile: tuple[Entry, ...], jury: tuple[SeatInfo, ...], tmp_path: Path
) -> None:
    parser = Tags()
    parser.feed(exported(hostile, jury, tmp_path / "transcript.html"))
    assert parser.tags <= {
        *("html", "head", "meta", "title", "style", "body", "pre", "code", "span")
    }


def test_ordinary_words_take_the_pages_own_color(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], tmp_path: Path
) -> None:
    """A page may be light or dark: no words may be fixed to one of the two inks."""
    page = exported(entries, jury, tmp_path / "t.html")
    styles = re.findall(r"^\.r\d+ \{([^}]*)\}", page, re.MULTILINE)
    assert styles
    for style in styles:
        assert "#e6edf3" not in style
        assert "#1f2328" not in style


def test_words_cannot_become_svg(
    hostile: tuple[Entry, ...], jury: tuple[SeatInfo, ...], tmp_path: Path
) -> None:
    root = ElementTree.fromstring(exported(hostile, jury, tmp_path / "transcript.svg"))
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "style", "defs", "clipPath", "rect", "g", "text", "circle"}


def test_words_cannot_become_markdown(
    hostile: tuple[Entry, ...], jury: tuple[SeatInfo, ...], tmp_path: Path
) -> None:
    text = exported(hostile, jury, tmp_path / "transcript.md")
    # Question and response: a fence longer than any in the words.
    fenced = re.compile(r"^(`{5,})text\n.*?\n\1$", re.DOTALL | re.MULTILINE)
    assert len(fenced.findall(text)) == 2
    outside = fenced.sub("", text)
    unquoted = re.sub(r"^> ?", "", outside, flags=re.MULTILINE)
    assert not re.search(r"(?<!\\)[<>`\[\]|!]", unquoted)
    assert "\\x1b" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("a well-known fact, see 3.5.", "a well-known fact, see 3.5."),
        ("see https://evil.test and www.evil.test", r"see https\://evil.test and www\.evil.test"),
        ("one\n\n> two", "one\n>\n> \\> two"),
    ],
)
def test_markdown_quotes_words_as_they_are(
    case: Case, tmp_path: Path, words: str, written: str
) -> None:
    text = exported((SummedUp(case.id, 0, words),), (), tmp_path / "transcript.md")
    assert f"> {written}\n" in text


def test_wide_characters_take_two_columns_in_svg(case: Case, tmp_path: Path) -> None:
    text = exported((SummedUp(case.id, 0, "漢字"),), (), tmp_path / "transcript.svg")
    # 2 columns each, 20 * 0.602 = 12.04 units a column.
    assert re.search(r'textLength="48\.16"[^>]*>漢字<', text)


@pytest.mark.parametrize("name", ["transcript.pdf", "transcript"])
def test_another_suffix_is_refused_and_the_three_are_named(
    entries: tuple[Entry, ...], tmp_path: Path, name: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"\.html, \.svg or \.md"):
        export_transcript(entries, (), tmp_path / name, target="t")
    assert not (tmp_path / name).exists()


def test_a_missing_directory_is_told_in_one_line(
    entries: tuple[Entry, ...], tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        export_transcript(entries, (), tmp_path / "missing" / "transcript.md", target="t")
