"""Files that are no jury card, or one by which nothing can be decided: one line each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jury_cards import hand_card

from safejury import ConfigurationError, read_card
from safejury.deliberation.protocol.card import write_card

Change = Callable[[dict[str, Any]], object]
_FIGURE = {"value": 0.5, "interval": [0.4, 0.6]}
_NAMES = ("sensitivity", "specificity", "f1", "kappa", "abstained")


def _scored(**more: object) -> Change:
    """Return what gives a card figures of a juror."""
    return lambda card: card.update(jurors={"alpha": {**dict.fromkeys(_NAMES, _FIGURE), **more}})


def _weight(value: float) -> Change:
    return lambda card: card["models"]["calibrated"]["weights"]["alpha"].update(unsafe=value)


def _counts(of_unsafe: float) -> dict[str, object]:
    safe = {"unsafe": 1, "safe": 9, "none": 0}
    return {"unsafe": {**safe, "safe": of_unsafe}, "safe": safe}


UNUSABLE: list[tuple[Change, str]] = [
    (_scored(confusion=_counts(-9)), "'alpha': a count of cases is below 0"),
    (_scored(design_effect=[0, 1]), "'alpha': a design effect is below 1"),
    (_scored(design_effect=[1, -1]), "'alpha': a design effect is below 1"),
    (_weight(1e308), "a weight is too large to be added up"),
    (lambda card: card["models"]["calibrated"].update(intercept=-1e308), "too large"),
    (lambda card: card.update(format=2), "of format 2, and this version reads format 1"),
    (lambda card: card.update(format=True), "of format True"),
    (lambda card: card["models"]["calibrated"].update(threshold=1.5), "not from 0 to 1"),
    (lambda card: card.pop("labels"), "is not a whole jury card"),
]


@pytest.mark.parametrize(("change", "said"), UNUSABLE)
def test_a_card_from_anybody_is_read_only_if_it_can_be_used(
    change: Change, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "card.json"
    write_card(hand_card({"alpha": (1, -1, 0), "bravo": (1, -1, 0)}), path)
    card = json.loads(path.read_bytes())
    _scored(confusion=_counts(2), design_effect=[1, 2.5])(card)
    path.write_text(json.dumps(card))
    assert read_card(path).jurors.keys() == {"alpha"}
    change(card)
    path.write_text(json.dumps(card))
    with pytest.raises(ConfigurationError) as refused:
        read_card(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"format":1,"jury":' * 50_000, "\0", "NaN"])
def test_what_is_no_card_is_said_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="is not a jury card") as refused:
        read_card(path)
    assert "\n" not in str(refused.value)
