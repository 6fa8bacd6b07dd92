"""What a program says of models and juries is what a config says of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safejury.assembly.config import JuryConfig, ModelConfig
from safejury.assembly.jury import jury_keys, jury_spec
from safejury.assembly.models import model_keys, model_spec
from safejury.assembly.servers import ServerBook
from safejury.deliberation import Jury, Protocol

PLACE = {"model": "m", "base_url": "http://127.0.0.1:9/v1"}


@pytest.mark.parametrize(
    "said",
    [
        PLACE,
        {"model": "openai/gpt-4o", "api_base": "http://127.0.0.1:9", "api_version": "1"},
        {"model": "bedrock/anthropic.claude", "region": "eu-central-1"},
        {**PLACE, "images": False, "audio": True, "timeout": 3.5, "json_schema": "never"},
        {**PLACE, "api_key_env": "MY_KEY", "request": {"headers": {"X-Team": "MY_TEAM"}}},
        {**PLACE, "request": {"top_k": 3, "stop": ["a"], "extra_body": {"x": {"y": 1}}}},
        {**PLACE, "price": {"input": 1.0, "output": 2.0, "cached_input": 0.5}},
        {**PLACE, "verify_tls": False, "proxy": "http://127.0.0.1:8", "connect_timeout": 2.0},
    ],
)
def test_a_config_a_spec_and_its_keys_say_the_same(
    said: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-0123456789abcdef")
    monkeypatch.setenv("MY_TEAM", "team-0123456789")
    config = ModelConfig.model_validate(said)
    assert ModelConfig.model_validate(model_keys(model_spec(config))) == config


@pytest.mark.parametrize(
    "said",
    [
        {"protocol": "contested"},
        {"protocol": {"preset": "vote", "rule": "any"}},
        {"protocol": {"preset": "contested", "talk": "always", "rounds": 2, "tie": "unsafe"}},
        {"protocol": {"preset": "vote", "stop": "curtailed"}, "max_tokens": 200},
    ],
)
def test_a_jury_of_python_and_of_a_config_say_the_same(said: dict[str, Any]) -> None:
    jurors = [
        {"persona": "clinician", **PLACE},
        {"persona": "clinician", **PLACE, "temperature": 0.0, "max_image_side": 100},
        {"persona": "lawyer", "name": "second", **PLACE, "top_p": 0.5},
    ]
    config = JuryConfig.model_validate({"jurors": jurors, **said})
    spec = jury_spec(config, Path(), ServerBook(Path()), seed=7)
    assert JuryConfig.model_validate(jury_keys(spec)) == config
    again = Jury.of(*spec.seats, protocol=spec.protocol).spec
    assert again is not None
    assert again.seats == spec.seats
    assert again.protocol == spec.protocol


def test_settings_of_stopping_early_are_said_where_they_differ() -> None:
    """By them a run knows whether it is the same, whoever started it."""
    described = Jury.of("clinician", "lawyer", "sceptic", model="openai/m").spec
    assert described is not None
    assert jury_keys(described)["protocol"] == "contested"
    early = Protocol(stop="sequential", bound=0.01, talk_between=(0.2, 0.8))
    said = {"preset": "contested", "stop": "sequential", "bound": 0.01, "talk_between": [0.2, 0.8]}
    assert jury_keys(replace(described, protocol=early))["protocol"] == said
