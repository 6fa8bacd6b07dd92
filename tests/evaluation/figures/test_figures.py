"""The figures of a leaderboard: what they say, and that they are fit for a page."""

import re
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from safejury.common import ConfigurationError
from safejury.evaluation.figures import PALETTE, Figure, Figures, FigureTable, figures_of, label
from safejury.evaluation.leaderboard import Leaderboard
from safejury.evaluation.report import StoredRun


@pytest.fixture(scope="module")
def drawn(three_targets: Path) -> Figures:
    with closing(StoredRun(three_targets)) as run:
        return figures_of(Leaderboard.of([run]))


@pytest.fixture(scope="module")
def files(drawn: Figures) -> dict[str, dict[str, bytes]]:
    """Return the files of all figures, by name and kind."""
    kinds = {"outcomes": ("svg", "png"), "radar": ("svg", "png")}
    return {figure.name: figure.files(kinds.get(figure.name, ("svg",))) for figure in drawn}


def test_every_figure_says_its_n_and_has_its_table(drawn: Figures) -> None:
    assert {figure.name for figure in drawn} >= {"leaderboard", "categories", "scenarios", "radar"}
    for figure in drawn:
        assert re.search(r"n = \d", figure.caption), figure.name
        assert figure.table.rows
        assert {len(row) for row in figure.table.rows} == {len(figure.table.columns)}


def test_an_svg_has_variables_for_colors_text_for_text_and_nothing_that_a_policy_stops(
    drawn: Figures, files: dict[str, dict[str, bytes]]
) -> None:
    for figure in drawn:
        svg = files[figure.name]["svg"].decode()
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        assert [child.tag.rpartition("}")[2] for child in root][:2] == ["title", "desc"]
        assert root[0].text == figure.title
        assert root[1].text == figure.caption
        assert "style" not in svg
        assert "<text" in svg
        assert "var(--ink, #1b1b1b)" in svg
        assert not re.findall(r'="#[0-9a-f]{6}"', svg), figure.name
        assert all(id.startswith(figure.name) for id in re.findall(r' id="([^"]+)"', svg))


def test_a_figure_is_drawn_byte_for_byte_the_same(
    drawn: Figures, files: dict[str, dict[str, bytes]]
) -> None:
    for figure in drawn:
        if figure.name in ("outcomes", "radar"):
            assert figure.svg().encode() == files[figure.name]["svg"]
            assert figure.png() == files[figure.name]["png"]
            assert figure.png().startswith(b"\x89PNG")
        if figure.name == "agreement":
            assert figure.pdf() == figure.pdf()


def test_an_unknown_figure_is_refused_with_the_nearest_name(three_targets: Path) -> None:
    with closing(StoredRun(three_targets)) as run:
        board = Leaderboard.of([run])
    with pytest.raises(ConfigurationError, match=r"'rader' \(did you mean 'radar'\?\)"):
        figures_of(board, ["rader"])


def test_each_color_is_told_apart_from_all_others() -> None:
    lights = [color.light for color in PALETTE.values()]
    assert len(set(lights)) == len(lights)


def test_a_figure_without_data_is_left_out_with_a_reason(drawn: Figures) -> None:
    assert "give `images:`" in drawn.left_out["image-conditions"]
    assert "no jury card" in drawn.left_out["reliability"]
    assert not {figure.name for figure in drawn} & drawn.left_out.keys()


def test_rates_of_few_cases_are_marked(drawn: Figures) -> None:
    shown = {figure.name: figure for figure in drawn}
    assert "fewer than 5" not in shown["leaderboard"].caption
    assert "6 harmful cases" in shown["scenarios"].caption


def test_figures_are_drawn_in_threads_at_once(
    drawn: Figures, files: dict[str, dict[str, bytes]]
) -> None:
    few = [figure for figure in drawn if figure.name in ("leaderboard", "radar", "agreement")]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(Figure.svg, few))
    assert found == [files[figure.name]["svg"].decode() for figure in few]


def test_long_names_that_differ_at_their_end_stay_different() -> None:
    name = "a-model-with-a-very-long-name-indeed-7b-instruct"
    shown = {label(f"{name}{end}") for end in ("", " [black]", " [noise]", " (second)")}
    assert len(shown) == 4
    assert {len(each) for each in shown} == {38}


def test_cells_of_a_table_run_nothing_in_a_spreadsheet() -> None:
    table = FigureTable(("target", "asr"), (("=cmd|'x'!A1", 0.5), ("+1", None)))
    assert table.csv() == "target,asr\n'=cmd|'x'!A1,0.5\n'+1,\n"


def _contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, 1 to 21, as WCAG defines it."""
    high, low = sorted(map(_luminance, (one, other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_words_and_marks_stand_out_from_what_is_behind_them(shade: str) -> None:
    colors = {name: str(getattr(color, shade)) for name, color in PALETTE.items()}
    for name in ("ink", "muted"):
        assert _contrast(colors[name], colors["paper"]) >= 4.5
    for step in range(8):
        assert _contrast(colors[f"heat-{step}"], colors[f"heat-ink-{step}"]) >= 4.5
        assert _contrast(colors[f"series-{step + 1}"], colors["paper"]) >= 3
