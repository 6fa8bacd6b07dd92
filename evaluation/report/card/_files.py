"""Writes a jury card into a folder: the card itself, and its page."""

from pathlib import Path

from ....common import ConfigurationError, SafejuryError
from ....common.files import atomic_write, make_private
from ....deliberation.protocol.card import (
    CardJury,
    JuryCard,
    check_same_jury,
    read_card,
    write_card,
)
from ._page import card_markdown

CARD, PAGE = "jury-card.json", "jury-card.md"


def check_card_folder(folder: Path, jury: CardJury, *, scored: JuryCard | None = None) -> None:
    """Check that a card can be written to a folder without loss of another.

    Args:
        folder: The folder; it need not exist.
        jury: Whose votes are measured.
        scored: The card that is scored, None where one is made.

    Raises:
        ConfigurationError: There is a card of another jury, or one that scoring would replace.
    """
    path = folder / CARD
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file: name a folder with --out")
    if not path.exists():
        return
    try:
        kept = read_card(path)
    except SafejuryError as error:
        raise ConfigurationError(f"{error} Or name another folder with --out.") from None
    try:
        check_same_jury(kept, jury if scored is None else scored.jury)
    except ConfigurationError:
        raise ConfigurationError(
            f"{path} is the card of another jury: name another folder with --out, or delete it"
        ) from None
    if scored is not None and kept.made:
        raise ConfigurationError(
            f"{path} is a card that was made of labels, and scoring would replace it: name another "
            "folder with --out"
        )


def save_card(card: JuryCard, folder: Path) -> tuple[Path, Path]:
    """Write a card and its page to a folder, which is made; return their paths.

    Args:
        card: The card.
        folder: The folder. What is in a run's directory only its owner can read.

    Raises:
        ConfigurationError: They cannot be written.
    """
    paths = folder / CARD, folder / PAGE
    private = (folder / "record.sqlite").exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_card(card, paths[0])
        with atomic_write(paths[1], private=private) as file:
            file.write(card_markdown(card).encode())
        if private:
            make_private(paths[0])
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: the jury card cannot be written ({error.strerror}): name another folder "
            "with --out"
        ) from None
    return paths
