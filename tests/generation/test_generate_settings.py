"""From the config of `safejury generate` to the settings of a set: no key is lost on the way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from safejury.generation import (
    GenerationSettings,
    PictureSettings,
    QuerySettings,
    SpeechSettings,
    TaxonomySettings,
    TwinSettings,
)
from safejury.generation.config import GenerateConfig, GenerateSetup, set_up_generation
from safejury.models import Sampling

MODEL = {"base_url": "http://127.0.0.1:9/v1", "temperature": 0.5, "top_p": 0.9}
CONFIG = f"""
purpose: a test
taxonomy: {{samples: 3, scenarios: 5, categories: 2, similarity: 0.4, votes: 0.3, harm_weight: 0.7}}
scenarios: [ethics.bioethics]
panel: [{{name: one, model: panellist, {str(MODEL)[1:]}]
generator: {{model: writer, {str(MODEL)[1:]}
foreperson: {{model: chair, {str(MODEL)[1:]}
queries:
  per_scenario: 9
  over_generate: 1.5
  batch: 3
  revisions: 2
  weights: {{feasibility: 2, harmfulness: 3, applicability: 4}}
  diversity: 0.2
  near_duplicate: 0.8
twins: {{attempts: 5, most_harm: 1.5}}
pictures:
  renderer: endpoint
  fallback: placeholder
  rounds: 2
  good_fit: 6
  size: 256
  near_duplicate: 3
  base_url: http://127.0.0.1:9/images
  model: painter
  api_key_env: PICTURES_KEY
  price: 0.04
  font: fonts/own.ttf
  nsfw_model: ./classifier
  describer: {{model: describer, {str(MODEL)[1:]}
  viewer: {{model: viewer, {str(MODEL)[1:]}
speech:
  speaker: endpoint
  voices: [ada, bob, ada]
  loudness: -20
  base_url: http://127.0.0.1:9/speech
  model: speaker
  api_key_env: SPEECH_KEY
  price: 15
  program: ./bin/piper
  whisper: ./tiny
limits: {{concurrency: 3}}
set: {{name: ours, directory: elsewhere, license: CC0-1.0, seed: 11, max_tokens: 512}}
"""


@pytest.fixture
def config() -> GenerateConfig:
    return GenerateConfig.model_validate(yaml.safe_load(CONFIG))


@pytest.fixture
def setup(config: GenerateConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GenerateSetup:
    monkeypatch.setenv("PICTURES_KEY", "key of pictures")
    monkeypatch.setenv("SPEECH_KEY", "key of speech")
    return set_up_generation(config, tmp_path)


def _left_out(part: BaseModel, path: str = "") -> Iterator[str]:
    """Yield the keys of a generation's own parts that the config does not say otherwise."""
    for name, field in type(part).model_fields.items():
        value: Any = getattr(part, name)
        if isinstance(value, BaseModel) and type(value).__module__ == type(part).__module__:
            yield from _left_out(value, f"{path}{name}.")
        elif value == field.get_default(call_default_factory=True):
            yield f"{path}{name}"


def test_the_config_says_all_keys_otherwise_than_the_defaults(config: GenerateConfig) -> None:
    assert list(_left_out(config)) == []


def test_every_key_of_the_config_reaches_the_settings(setup: GenerateSetup, tmp_path: Path) -> None:
    assert setup.settings == GenerationSettings(
        name="ours",
        purpose="a test",
        license="CC0-1.0",
        seed=11,
        scenarios=("ethics.bioethics",),
        taxonomy=TaxonomySettings(
            samples=3, scenarios=5, categories=2, similarity=0.4, votes=0.3, harm_weight=0.7
        ),
        queries=QuerySettings(
            per_scenario=9,
            over_generate=1.5,
            batch=3,
            revisions=2,
            feasibility=2.0,
            harmfulness=3.0,
            applicability=4.0,
            diversity=0.2,
            near_duplicate=0.8,
        ),
        twins=TwinSettings(attempts=5, most_harm=1.5),
        pictures=PictureSettings(
            renderer="endpoint",
            fallback="placeholder",
            rounds=2,
            good_fit=6,
            size=256,
            near_duplicate=3,
            base_url="http://127.0.0.1:9/images",
            model="painter",
            api_key="key of pictures",
            price=0.04,
            font=str(tmp_path / "fonts" / "own.ttf"),
            nsfw_model=str(tmp_path / "classifier"),
        ),
        speech=SpeechSettings(
            speaker="endpoint",
            voices=("ada", "bob"),
            loudness=-20.0,
            base_url="http://127.0.0.1:9/speech",
            model="speaker",
            api_key="key of speech",
            price=15.0,
            program=str(tmp_path / "bin" / "piper"),
            whisper=str(tmp_path / "tiny"),
        ),
        max_tokens=512,
    )
    assert setup.directory == Path("elsewhere") / "ours"


def test_every_role_has_the_model_that_the_config_names(setup: GenerateSetup) -> None:
    assert setup.viewer is not None
    roles = (*setup.panel, setup.generator, setup.foreperson, setup.describer, setup.viewer)
    assert [(role.name, role.spec.model) for role in roles] == [
        ("one", "panellist"),
        ("generator", "writer"),
        ("foreperson", "chair"),
        ("describer", "describer"),
        ("viewer", "viewer"),
    ]
    assert {role.sampling for role in roles} == {Sampling(0.5, 0.9)}


def test_nulls_leave_parts_out(config: GenerateConfig, tmp_path: Path) -> None:
    parts = ("scenarios", "twins", "pictures", "speech", "foreperson")
    without = config.model_copy(update=dict.fromkeys(parts))
    setup = set_up_generation(without, tmp_path)
    settings = setup.settings
    assert (settings.scenarios, settings.twins, settings.pictures, settings.speech) == (None,) * 4
    assert setup.foreperson == setup.describer == setup.generator
    assert setup.viewer is None
