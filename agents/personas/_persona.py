"""Personas: what a juror looks for. YAML files, bundled ones and the user's own."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ...common import ConfigurationError
from ...common.files import YamlDocument, read_text_file
from ...common.text import did_you_mean, quoted

HUMAN = "human"
"""The persona's name that seats a person at the terminal."""
_FOLDER = Path(__file__).parent
_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class PersonaSampling(BaseModel):
    """How a persona's model draws its words; None leaves it to the jury's settings.

    A juror for whom neither says anything is greedy.

    Attributes:
        temperature: 0 to 2; 0 is greedy.
        top_p: In (0, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)


class Persona(BaseModel):
    """What a juror looks for.

    Attributes:
        name: Letters, digits and underscores, starting with a letter.
        title: What a person would call the juror.
        perspective: The point of view, in one sentence.
        instructions: What to look for, in a few sentences; never what to conclude.
        model: Model that the persona asks for, None leaves it to the jury's settings.
        sampling: How that model draws its words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name
    title: _Words
    perspective: _Words
    instructions: _Words
    model: _Words | None = None
    sampling: PersonaSampling = PersonaSampling()


def load_persona(name_or_path: str, *, relative_to: Path | None = None) -> Persona:
    """Return a bundled persona by name, or one from a YAML file.

    Args:
        name_or_path: A bundled name, or a path (it has a slash or ends in `.yaml`
            or `.yml`).
        relative_to: Folder that a relative path starts from; else the current one.

    Raises:
        ConfigurationError: There is no such persona, or its file is wrong; the
            message names file and line.
    """
    if _is_path(name_or_path):
        return _read((relative_to or Path()) / Path(name_or_path).expanduser())
    if name_or_path == HUMAN:
        raise ConfigurationError(f"persona {HUMAN!r} is a person at the terminal, not a file")
    for persona in bundled_personas():
        if persona.name == name_or_path:
            return persona
    names = [persona.name for persona in bundled_personas()]
    hint = did_you_mean(name_or_path, [*names, HUMAN])
    known = f"; known are {', '.join(names)} and {HUMAN}, or write a path to a YAML file"
    raise ConfigurationError(f"unknown persona {quoted(name_or_path)}{hint or known}")


@cache
def bundled_personas() -> tuple[Persona, ...]:
    """Return the personas that come with the package, by name."""
    return tuple(_read(path) for path in sorted(_FOLDER.glob("*.yaml")))


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text or text.casefold().endswith((".yaml", ".yml"))


def _read(path: Path) -> Persona:
    text = read_text_file(path, "persona file", "a YAML file with a few sentences")
    document = YamlDocument(path, text)
    data = document.data
    if not isinstance(data, dict):
        keys = ", ".join(_keys(()))
        raise ConfigurationError(f"{document.place(())}: a persona needs keys: {keys}")
    try:
        persona = Persona.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(_explain(document, error)) from None
    if persona.name == HUMAN:
        where = document.place(("name",))
        raise ConfigurationError(f"{where}: the name {HUMAN!r} is reserved; choose another")
    return persona


def _explain(document: YamlDocument, error: ValidationError) -> str:
    errors = error.errors(include_url=False)
    # A misspelled key explains a missing one, not the other way round.
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    steps = tuple(str(step) for step in first["loc"])
    where = document.place(steps)
    if first["type"] == "extra_forbidden":
        known = _keys(steps[:-1])
        hint = did_you_mean(steps[-1], known) or f"; known are {', '.join(known)}"
        return f"{where}: unknown key {quoted(steps[-1])}{hint}"
    if first["type"] == "missing":
        return f"{where}: the key {steps[-1]!r} is missing"
    return f"{where}: {'.'.join(steps) or 'persona'}: {first['msg']}"


def _keys(steps: tuple[str, ...]) -> list[str]:
    return list((PersonaSampling if steps == ("sampling",) else Persona).model_fields)
