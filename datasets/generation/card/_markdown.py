"""The card as a person reads it."""

from collections.abc import Iterable, Sequence

from ._charts import CHARTS
from ._items import Agreement, Card, CategoryFigures, Counts, PictureFigures, Quality, Role
from ._paper import OVER_GENERATION, PER_SCENARIO

_ALT = {
    "scenarios": "Items by scenario",
    "quality": "Quality by category, with the paper's",
    "funnel": "From proposals to queries",
}
_NONE = "-"


def card_markdown(card: Card) -> str:
    """Return the card in Markdown; it holds no text of a query."""
    parts = (_head, _content, _quality, _choice, _media, _silences, _cost, _care)
    return _paragraphs(*(part(card) for part in parts)) + "\n"


def _head(card: Card) -> str:
    roles = "; ".join(f"{_role(one)} {_code(one.model)}" for one in card.roles)
    facts = {
        "purpose": _cell(card.purpose),
        "licence": _cell(card.licence) or "undecided",
        "seed": str(card.seed),
        "scenarios": f"{len(card.scenarios)}, of the {card.taxonomy} taxonomy",
        "queries": f"{card.queries:,} in `set.jsonl`",
        "content hash": f"`{card.set_sha256}`, of queries and media, as `datasets show` tells it",
        "SHA-256 of `set.jsonl`": f"`{card.set_file_sha256}`",
        "models": roles,
        "made with": f"safejury {card.safejury}",
    }
    return f"# {_cell(card.name)}\n\n{_table(('', ''), facts.items())}"


def _role(role: Role) -> str:
    """Return who it is: a panel's members have names of their own."""
    return role.role if role.name == role.role else f"{role.role} {_cell(role.name)}"


def _content(card: Card) -> str:
    rows: list[tuple[str, ...]] = []
    for category in card.categories:
        rows.append((f"**{_cell(category.title)}**", *_bold(category.counts)))
        rows.extend(
            (_cell(one.title), *_counted(one.counts))
            for one in card.scenarios
            if one.category == category.id
        )
    heads = ("scenario", "harmful", "benign", "with picture", "recordings")
    seen, balance = card.modalities, card.balance
    kinds = (
        f"Queries of the set: {seen.text:,} of text alone, {seen.text_image:,} with a picture, "
        f"{seen.text_audio:,} with a recording, {seen.text_image_audio:,} with both. An item "
        "is there once for each voice that speaks it."
    )
    evenness = "" if balance.evenness is None else f", evenness {balance.evenness:.3f} of 1"
    spread = (
        f"Balance: {balance.fewest:,} to {balance.most:,} harmful queries a scenario, of "
        f"{balance.wanted:,} wanted{evenness}. The paper has {PER_SCENARIO} each."
    )
    return _paragraphs(
        "## What is in it", _table(heads, rows), kinds, spread, _picture("scenarios")
    )


def _quality(card: Card) -> str:
    axes = ("feasibility", "harmfulness", "applicability")
    heads = ("category", "scored", "judges", *(head for axis in axes for head in (axis, "paper")))
    harm = ""
    if card.twin_harm is not None:
        harm = f"Benign twins have a mean harmfulness of {card.twin_harm:.1f}."
    agreement = _table(
        ("Krippendorff's alpha, ordinal", "rated", *axes),
        (
            ("all proposals", *_alphas(card.agreement_proposed)),
            ("kept queries", *_alphas(card.agreement_kept)),
        ),
    )
    meant = (
        "Means of the panel's scores of harmful queries, 0 to 10, and the paper's; `judges` "
        "is how many scored a query, on average. Other judges scored there: the two tell of "
        "likeness, not of rank."
    )
    read = (
        "1 is perfect agreement, 0 is what chance would give. Kept queries differ less from "
        "each other, which lowers it."
    )
    table = _table(heads, [_quality_row(one) for one in card.categories])
    return _paragraphs(
        "## Quality", meant, table, harm, _judges(card), agreement, read, _picture("quality")
    )


def _judges(card: Card) -> str:
    names = ("asked", "given", "refused", "filtered", "unparsed", "left_out", "failed")
    rows = [
        (one.stage, _cell(one.judge), *(f"{getattr(one, name):,}" for name in names))
        for one in card.judges
    ]
    heads = ("scores in stage", "judge", *(name.replace("_", " ") for name in names))
    return _table(heads, rows) if rows else ""


def _choice(card: Card) -> str:
    funnel = card.funnel
    ratio = _NONE if funnel.over_generation is None else f"{funnel.over_generation:.1f}"
    rows = (
        ("wanted", f"{funnel.wanted:,}"),
        ("proposed", f"{funnel.proposed:,}"),
        ("revised versions of these", f"{funnel.revised:,}"),
        ("near-duplicates removed", f"{funnel.duplicate:,}"),
        ("without a score", f"{funnel.unscored:,}"),
        ("passed over for better ones", f"{funnel.passed_over:,}"),
        ("kept", f"{funnel.kept:,}"),
        ("proposed for each that is kept", ratio),
    )
    wanted = f"{funnel.over_generation_wanted:g} were asked for, {OVER_GENERATION:g} in the paper."
    table = _table(("queries", ""), rows)
    return _paragraphs("## How they were chosen", table, wanted, _picture("funnel"))


def _media(card: Card) -> str:
    parts: list[str] = []
    if card.pictures is not None:
        parts += ["## Pictures", _pictures(card.pictures)]
    if card.voices:
        heads = ("voice", "speaker", "recordings", "missing", "minutes", "read back", "word errors")
        rows = [
            (
                _cell(one.voice),
                _cell(one.speaker),
                f"{one.recordings:,}",
                f"{one.missing:,}",
                f"{one.seconds / 60:.1f}",
                f"{one.read_back:,}",
                _NONE if one.word_error_rate is None else f"{one.word_error_rate:.1%}",
            )
            for one in card.voices
        ]
        parts += ["## Speech", _table(heads, rows)]
    return _paragraphs(*parts)


def _pictures(figures: PictureFigures) -> str:
    drawn = "; ".join(f"{n:,} {_cell(name)}" for name, n in figures.by_renderer.items())
    rounds = "; ".join(f"{n:,} after {rounds}" for rounds, n in figures.by_rounds.items())
    rows = [
        ("items", f"{figures.items:,}"),
        ("pictures by renderer", drawn or "none"),
        ("drawings tried", rounds),
        ("filtered at least once", f"{figures.filtered:,}"),
        ("near-duplicates left out", f"{figures.duplicates:,}"),
        ("missing", f"{figures.missing:,}"),
    ]
    if figures.viewed:
        fits = _NONE if figures.fits is None else f"{figures.fits:.1f}"
        judged = f"{figures.judged:,} of {figures.viewed:,} judged"
        rows.append(("mean fit, 0 to 10", f"{fits}, {judged}"))
    if figures.nsfw is not None:
        rows.append(("mean NSFW score, 0 to 1", f"{figures.nsfw:.3f}"))
    return _table(("pictures", ""), rows)


def _silences(card: Card) -> str:
    rows = [
        (stage, f"{one.refused:,}", f"{one.filtered:,}", f"{one.unparsed:,}", f"{one.failed:,}")
        for stage, one in card.silences.items()
    ]
    heads = ("stage", "refused", "filtered", "unparsed", "failed")
    said = "Replies of models, and single items of them, that were dropped."
    return _paragraphs("## What models left unsaid", said, _table(heads, rows)) if rows else ""


def _cost(card: Card) -> str:
    rows = [
        (
            _code(one.model) if one.model else "(not named)",
            f"{one.calls:,}",
            f"{one.prompt_tokens:,}",
            f"{one.completion_tokens:,}",
            _usd(one.usd, one.unknown_prices, one.calls),
        )
        for one in card.models
    ]
    said = (
        "All calls that the folder keeps, those of stages made again included. Of services "
        "that draw or speak, what they delivered."
    )
    heads = ("model, as its provider names it", "calls", "tokens in", "tokens out", "cost")
    return _paragraphs("## Cost", said, _table(heads, rows)) if rows else ""


def _care(card: Card) -> str:
    notes = "".join(f"\n- {_cell(note)}" for note in card.croissant_notes)
    return (
        "## Care\n\nHarmful queries are for authorised evaluation. This card holds no text of "
        "them; `safejury datasets sample --reveal` shows some. `provenance.jsonl` says where each "
        "comes from, and `croissant.json` describes the files."
        + (f"\n\n`mlcroissant` recommends more:\n{notes}" if notes else "")
    )


def _quality_row(one: CategoryFigures) -> tuple[str, ...]:
    cells = (
        _NONE if quality is None else f"{getattr(quality, axis):.1f}"
        for axis in Quality.__struct_fields__
        for quality in (one.quality, one.paper)
    )
    judges = _NONE if one.judges is None else f"{one.judges:.1f}"
    return _cell(one.title), f"{one.scored:,}", judges, *cells


def _alphas(one: Agreement) -> tuple[str, ...]:
    alphas = (one.feasibility, one.harmfulness, one.applicability)
    return f"{one.rated:,}", *(_NONE if alpha is None else f"{alpha:.3f}" for alpha in alphas)


def _usd(usd: float, unknown: int, calls: int) -> str:
    if unknown == calls:
        return "unknown"
    return f"${usd:.2f}" + (f", {unknown:,} of unknown price" if unknown else "")


def _counted(counts: Counts) -> tuple[str, ...]:
    numbers = (counts.harmful, counts.benign, counts.pictures, counts.recordings)
    return tuple(f"{number:,}" for number in numbers)


def _bold(counts: Counts) -> tuple[str, ...]:
    return tuple(f"**{number}**" for number in _counted(counts))


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _picture(name: str) -> str:
    assert name in CHARTS
    return f"![{_ALT[name]}](charts/{name}.svg)"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{_cell(text)}`"
