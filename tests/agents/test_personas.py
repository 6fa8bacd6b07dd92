from pathlib import Path

import pytest

from safejury.agents import Persona, bundled_personas, load_persona
from safejury.common import ConfigurationError

OWN = """\
name: chemist
title: Chemist
perspective: You look for syntheses.
instructions: Ask whether it would work.
model: openai/gpt-4o
sampling:
  temperature: 0.5
"""


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _error(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_persona(str(path))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_seven_personas_are_bundled() -> None:
    assert {persona.name for persona in bundled_personas()} == {
        "child_safety_officer",
        "citizen",
        "clinician",
        "free_expression_advocate",
        "lawyer",
        "sceptic",
        "security_engineer",
    }


@pytest.mark.parametrize("persona", bundled_personas(), ids=lambda persona: persona.name)
def test_a_bundled_persona_is_short_and_named_as_its_file(persona: Persona) -> None:
    sentences = persona.instructions.count(".") + persona.instructions.count("?")
    assert 3 <= sentences <= 6
    assert load_persona(persona.name) == persona


def test_a_user_adds_a_persona_by_path_beside_the_config(tmp_path: Path) -> None:
    _file(tmp_path, OWN)
    persona = load_persona("./own.yaml", relative_to=tmp_path)
    assert (persona.name, persona.model, persona.sampling.temperature) == (
        "chemist",
        "openai/gpt-4o",
        0.5,
    )


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'sceptic'"):
        load_persona("skeptic")
    with pytest.raises(ConfigurationError, match=r"known are .*lawyer.* human"):
        load_persona("zzz")


def test_human_is_no_file_and_no_name_for_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="person at the terminal"):
        load_persona("human")
    path = _file(tmp_path, OWN.replace("chemist", "human"))
    assert _error(path) == f"{path}:1: the name 'human' is reserved; choose another"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "does not exist" in _error(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (OWN.replace("title", "titel"), 2, "unknown key 'titel' (did you mean 'title'?)"),
        (OWN.replace("temperature: 0.5", "temprature: 1"), 7, "did you mean 'temperature'?"),
        (OWN.replace("temperature: 0.5", "temperature: hot"), 7, "sampling.temperature: "),
        (OWN.replace("temperature: 0.5", "temperature: -1"), 7, "sampling.temperature: "),
        (OWN.replace("name: chemist", "name: a chemist"), 1, "name: "),
        (OWN.replace("perspective: You look for syntheses.\n", ""), 1, "'perspective' is missing"),
        (OWN + "name: again\n", 8, "the key 'name' is given twice"),
        (OWN.replace("title: Chemist", "title: [Chemist"), 3, "not YAML"),
        ("- a list\n", 1, "a persona needs keys: name, title"),
        ("", 1, "a persona needs keys"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    path = _file(tmp_path, text)
    message = _error(path)
    assert message.startswith(f"{path}:{line}: ")
    assert said in message


@pytest.mark.parametrize("raw", [b"\xff\xfe\xfa", b"a: \x00", b"a: 2024-99-99", b"a: &x [*x, *y]"])
def test_a_file_that_is_not_yaml_is_a_configuration_error(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes(raw)
    assert str(path) in _error(path)


def test_a_file_that_is_no_persona_is_not_read_as_a_whole(tmp_path: Path):
    path = tmp_path / "own.yaml"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    assert "is larger than 64 KiB" in _error(path)
