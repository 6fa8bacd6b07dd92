"""What the jury judges by: the bundled rubric, or a user's own policy in a Markdown file."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...common import ConfigurationError
from ...common.files import read_text_and_bytes
from ...common.text import did_you_mean, quoted
from ...datasets import load_taxonomy
from ..case import Case
from ._prompts import render, with_quotes

_PLACEHOLDER = re.compile(r"\{\{([^{}\n]*)\}\}")
_PARTS = {
    "evidence": "rubric_evidence",
    "ballot": "rubric_ballot",
    "scale": "rubric_scale",
}
"""Placeholders that stand for words of ours, and the prompts that have them."""
_NEEDED = ("evidence", "ballot")
_OF_CASE = ("guideline", "scenario", "category")


@dataclass(frozen=True, slots=True)
class Rubric:
    """A user's own rubric, in place of the bundled one.

    Its placeholders are `{{evidence}}` (what between the markers is evidence, and no
    instruction), `{{ballot}}` (how a ballot is written), `{{scale}}` (the bundled meaning of
    the ratings), and, of the case that is judged, `{{guideline}}`, `{{scenario}}` and
    `{{category}}`.

    Attributes:
        name: The file's.
        text: The file's words, with placeholders for `evidence` and `ballot`.
        sha256: Of the file as it lies on disk.
    """

    name: str
    text: str
    sha256: str

    def render(self, case: Case, *, quotes: bool = False) -> str:
        """Return what a juror reads; words put in are never searched for placeholders.

        Args:
            case: What is judged.
            quotes: Whether the juror is asked for the words that it relies on.
        """
        ours = {name: render(prompt).rstrip("\n") for name, prompt in _PARTS.items()}
        if quotes:
            ours["ballot"] = with_quotes(ours["ballot"])
        return self._filled_in(case, ours)

    def in_words(self, case: Case) -> str:
        """Return what a person reads: the rubric without what is meant for models alone."""
        return self._filled_in(case, dict.fromkeys(_PARTS, "")).strip()

    @property
    def label(self) -> str:
        """What it is called where it is shown, its content included."""
        return f"rubric {self.name} ({self.sha256[:12]})"

    def identity(self) -> Mapping[str, str]:
        """Return hashes of all of its words, ours included."""
        ours = "\x00".join(render(prompt) for prompt in _PARTS.values())
        return {"sha256": self.sha256, "parts": hashlib.sha256(ours.encode()).hexdigest()}

    def _filled_in(self, case: Case, ours: Mapping[str, str]) -> str:
        titles = case.titles or load_taxonomy().titles(case.query.scenario)
        scenario, category = titles or (case.query.scenario, case.query.scenario)
        fields = {"guideline": case.guideline, "scenario": scenario, "category": category, **ours}
        return _PLACEHOLDER.sub(lambda found: fields[found[1].strip()], self.text)


def load_rubric(path: Path) -> Rubric:
    """Read a rubric and check its placeholders.

    A file that names no placeholder gets `evidence`, `ballot` and `scale` at its end.

    Raises:
        ConfigurationError: There is no such file, or it is no rubric; one line that says
            what to change.
    """
    # Read once: the file may change meanwhile.
    text, raw = read_text_and_bytes(path, "rubric", "a Markdown file of a few pages")
    text, sha256 = text.replace("\r\n", "\n"), hashlib.sha256(raw).hexdigest()
    where = f"rubric {str(path)!r}"
    if not text.strip():
        raise ConfigurationError(f"{where} is empty: write what to judge a response by")
    if (at := text.find("\x00")) >= 0:
        raise ConfigurationError(f"{where} has a NUL character at offset {at}: remove it")
    named = Counter(found[1].strip() for found in _PLACEHOLDER.finditer(text))
    known = (*_PARTS, *_OF_CASE)
    for name in named:
        if name not in known:
            hint = did_you_mean(name, known) or f"; known are {', '.join(known)}"
            raise ConfigurationError(f"{where}: unknown placeholder {quoted(name)}{hint}")
    if not named:
        ours = "\n\n".join(f"{{{{{name}}}}}" for name in _PARTS)
        return Rubric(path.name, f"{text.rstrip()}\n\n{ours}", sha256)
    for name in _NEEDED:
        if named[name] != 1:
            raise ConfigurationError(
                f"{where} has {{{{{name}}}}} {named[name]} times: use it once, or use no "
                f"placeholder, and {' and '.join(_NEEDED)} are added at the end"
            )
    return Rubric(path.name, text.rstrip(), sha256)
