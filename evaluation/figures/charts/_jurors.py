"""How far jurors agree before any talk, pair by pair."""

# pyright: reportUnknownMemberType=false

from typing import TYPE_CHECKING

from ....common.text import coefficient, percent, points
from ...leaderboard import JurorVotes, Leaderboard
from .._canvas import name_rows
from .._figure import Figure, FigureTable, LeftOut
from .._palette import heat, light
from ._parts import FEW, WILSON, Tile, ends_of, few_said, n_of, tiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas


def agreement_matrix(board: Leaderboard) -> Figure | LeftOut:
    """Return how often two jurors vote alike, and how far beyond chance."""
    votes = board.votes
    if not votes.pairs:
        why = "no two jurors voted on one case" if votes.seats else "no juror voted"
        return LeftOut("agreement", why)
    numbers = [pair.alike.n for pair in votes.pairs.values()]
    agreed = votes.agreement
    caption = (
        "Below the diagonal: share of cases on which two jurors' first votes are the same, in "
        "percent. Above it: Cohen's kappa, agreement beyond chance (1 is perfect, 0 is chance). On "
        f"it: share of a juror's votes that are unsafe, in percent. {n_of(numbers, 'case')} for a "
        f"pair; the table has {WILSON} of the shares. All jurors: {percent(agreed.pairwise)} of "
        f"pairs alike, Krippendorff's alpha {coefficient(agreed.alpha)}. Where nearly all votes "
        "are of one kind, kappa and alpha are low even if most agree."
        + few_said(numbers, "Cells in brackets")
    )
    seats = votes.seats

    def draw(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        _draw(axes, votes)

    return Figure(
        "agreement",
        "Agreement of jurors before any talk",
        caption,
        FigureTable(
            ("juror", "other_juror", "alike", "alike_low", "alike_high", "n", "kappa"),
            tuple(
                (
                    *(one, two, pair.alike.value, *ends_of(pair.alike.interval)),
                    *(pair.alike.n, pair.kappa),
                )
                for (one, two), pair in votes.pairs.items()
            ),
        ),
        (3.0 + 0.75 * len(seats), 2.2 + 0.5 * len(seats)),
        draw,
    )


def _draw(axes: "Axes", votes: JurorVotes) -> None:
    seats = votes.seats
    places = range(len(seats))
    found = [_tile(across, down, votes) for down in places for across in places]
    tiles(axes, found, seats, size=8.5)
    name_rows(axes, seats, 30)


def _tile(across: int, down: int, votes: JurorVotes) -> Tile:
    first, second = votes.seats[min(across, down)], votes.seats[max(across, down)]
    if across == down:
        own = votes.unsafe[first]
        text, n, shade = points(own.value), own.n, None
    else:
        pair = votes.pairs.get((first, second))
        alike = None if pair is None else pair.alike.value
        kappa = None if pair is None else pair.kappa
        n = FEW if pair is None else pair.alike.n
        text, shade = (
            (points(alike), alike)
            if across < down
            else (coefficient(kappa), None if kappa is None else max(0.0, kappa))
        )
    color, ink = (light("grid"), light("ink")) if shade is None else heat(shade**2)
    return Tile(across, down, color, ink, f"({text})" if n < FEW else text)
