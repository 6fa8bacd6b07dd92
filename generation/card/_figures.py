"""Computes the figures of a card in one pass over the set's items."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log

from ...datasets import Intent, Taxonomy
from ..items import Picture, Score, Speech
from ..queries import mean_harm
from ._assembled import Item
from ._items import (
    Balance,
    CategoryFigures,
    Counts,
    Modalities,
    PictureFigures,
    Quality,
    ScenarioFigures,
    VoiceFigures,
)


class Mean:
    """A running mean."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0.0

    def add(self, value: float | None) -> None:
        """Add a value, unless it is None."""
        if value is not None:
            self._sum += value
            self.count += 1

    @property
    def value(self) -> float | None:
        """The mean; None of nothing."""
        return self._sum / self.count if self.count else None


class _QualityMean:
    def __init__(self) -> None:
        self._axes = (Mean(), Mean(), Mean())
        self.judges = Mean()

    @property
    def count(self) -> int:
        return self._axes[0].count

    def add(self, scores: Sequence[Score]) -> None:
        """Add the mean scores of a query; one without scores is left out."""
        if scores:
            self.judges.add(len(scores))
            rows = [(one.feasibility, one.harmfulness, one.applicability) for one in scores]
            for mean, column in zip(self._axes, zip(*rows, strict=True), strict=True):
                mean.add(sum(column) / len(column))

    @property
    def value(self) -> Quality | None:
        feasibility, harmfulness, applicability = (axis.value for axis in self._axes)
        if feasibility is None or harmfulness is None or applicability is None:
            return None
        return Quality(feasibility, harmfulness, applicability)


class ItemFigures:
    """Counts of items by scenario, category and modality.

    Args:
        taxonomy: All scenarios.
        scenario_ids: Those that the set is made for; they are listed even if empty.
    """

    def __init__(self, taxonomy: Taxonomy, scenario_ids: Sequence[str]) -> None:
        self._taxonomy = taxonomy
        self._scenarios = {name: Counts() for name in scenario_ids}
        self._quality = {taxonomy.resolve(name).category: _QualityMean() for name in scenario_ids}
        self._twin_harm = Mean()
        self.modalities = Modalities()

    def add(self, item: Item) -> None:
        """Count an item."""
        counts = self._scenarios.setdefault(item.scenario, Counts())
        pictured = item.picture is not None and item.picture.file is not None
        spoken = sum(one.file is not None for one in item.speech)
        counts.pictures += pictured
        counts.recordings += spoken
        if item.intent is Intent.HARMFUL:
            counts.harmful += 1
            category = self._taxonomy.resolve(item.scenario).category
            self._quality.setdefault(category, _QualityMean()).add(item.scores)
        else:
            counts.benign += 1
            self._twin_harm.add(mean_harm(item.scores))
        self._add_modality(pictured, spoken)

    def _add_modality(self, pictured: bool, spoken: int) -> None:
        seen = self.modalities
        match pictured, spoken > 0:
            case True, True:
                seen.text_image_audio += spoken
            case True, False:
                seen.text_image += 1
            case False, True:
                seen.text_audio += spoken
            case _:
                seen.text += 1

    def scenarios(self) -> list[ScenarioFigures]:
        """Return the figures by scenario, in the taxonomy's order."""
        return [
            ScenarioFigures(one.id, one.category, one.title, self._scenarios[one.id])
            for one in self._taxonomy.scenarios
            if one.id in self._scenarios
        ]

    def categories(self, paper: Mapping[str, Quality]) -> list[CategoryFigures]:
        """Return the figures by category, with the paper's beside them."""
        return [
            CategoryFigures(
                one.id,
                one.title,
                _sum([self._scenarios[s.id] for s in one.scenarios if s.id in self._scenarios]),
                self._quality[one.id].count,
                self._quality[one.id].judges.value,
                self._quality[one.id].value,
                paper.get(one.id),
            )
            for one in self._taxonomy.categories
            if one.id in self._quality
        ]

    def balance(self, wanted: int) -> Balance:
        """Return how evenly the harmful queries are spread."""
        counts = [one.harmful for one in self._scenarios.values()]
        total = sum(counts)
        evenness = None
        if total and len(counts) > 1:
            shares = [count / total for count in counts if count]
            evenness = -sum(share * log(share) for share in shares) / log(len(counts))
        return Balance(wanted, min(counts, default=0), max(counts, default=0), evenness)

    @property
    def twin_harm(self) -> float | None:
        """Mean harmfulness of the twins by the panel, 0 to 10."""
        return self._twin_harm.value


def _sum(counts: Sequence[Counts]) -> Counts:
    return Counts(
        sum(one.harmful for one in counts),
        sum(one.benign for one in counts),
        sum(one.pictures for one in counts),
        sum(one.recordings for one in counts),
    )


class MediaFigures:
    """Counts of pictures and recordings."""

    def __init__(self) -> None:
        self._renderers, self._rounds = Counter[str](), Counter[int]()
        self._pictures = Counter[str]()
        self._fits, self._nsfw = Mean(), Mean()
        self._voices: dict[str, _Voice] = {}

    def add(self, item: Item) -> None:
        """Count what was made for an item."""
        if item.picture is not None:
            self._add_picture(item.picture)
        for one in item.speech:
            self._voices.setdefault(one.voice, _Voice(one.voice)).add(one)

    def _add_picture(self, picture: Picture) -> None:
        self._pictures["items"] += 1
        self._rounds[len(picture.rounds)] += 1
        self._pictures["filtered"] += any(one.outcome == "filtered" for one in picture.rounds)
        if picture.file is None:
            self._pictures["missing" if picture.duplicate_of is None else "duplicates"] += 1
            return
        chosen = next((one for one in picture.rounds if one.file == picture.file), None)
        self._renderers["unknown" if chosen is None else chosen.renderer] += 1
        if chosen is not None:
            self._fits.add(chosen.fits)
            self._pictures["viewed"] += chosen.fits is not None or chosen.unseen != ""
        self._nsfw.add(picture.nsfw)

    def pictures(self) -> PictureFigures | None:
        """Return the figures of the pictures, None where none was tried."""
        if not self._pictures["items"]:
            return None
        return PictureFigures(
            self._pictures["items"],
            dict(sorted(self._renderers.items())),
            {str(rounds): count for rounds, count in sorted(self._rounds.items())},
            self._pictures["filtered"],
            self._pictures["duplicates"],
            self._pictures["missing"],
            self._fits.value,
            self._fits.count,
            self._pictures["viewed"],
            self._nsfw.value,
        )

    def voices(self) -> list[VoiceFigures]:
        """Return the figures of the recordings by voice, in the order in which they came."""
        return [voice.figures() for voice in self._voices.values()]


class _Voice:
    def __init__(self, name: str) -> None:
        self._name = name
        self._speaker = ""
        self._there = self._missing = 0
        self._seconds = 0.0
        self._errors = Mean()

    def add(self, speech: Speech) -> None:
        self._speaker = self._speaker or ("" if speech.origin is None else speech.origin.model)
        if speech.file is None:
            self._missing += 1
            return
        self._there += 1
        self._seconds += speech.seconds
        self._errors.add(speech.word_error_rate)

    def figures(self) -> VoiceFigures:
        return VoiceFigures(
            self._name,
            self._speaker,
            self._there,
            self._missing,
            round(self._seconds, 3),
            self._errors.count,
            self._errors.value,
        )
