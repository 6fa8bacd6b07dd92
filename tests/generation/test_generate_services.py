"""Services that draw and speak: priced, bounded by the budget, and told in the card."""

import json
import re
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from dialogue_script import Script
from generate_cli import safejury, served, write_config
from picture_stage import Talk

from safejury.testing import ScriptedReply, ScriptedServer

PICTURE, CHARACTERS = 0.25, 1000.0


class Studio:
    """Writes, draws and speaks for a set of two queries and their twins."""

    def __init__(self, folder: Path, writer: ScriptedServer, services: ScriptedServer) -> None:
        self.folder, self.writer, self.services = folder, writer, services

    def config(self, *, priced: bool = True, **limits: object) -> str:
        url = self.services.base_url
        pictures = {
            "renderer": "endpoint",
            "fallback": None,
            "base_url": url,
            "model": "painter",
            "size": 64,
            "near_duplicate": 0,
            "describer": {"base_url": url, "model": "describer"},
        }
        speech = {"speaker": "endpoint", "base_url": url, "model": "speaker", "whisper": "never"}
        if priced:
            pictures["price"], speech["price"] = PICTURE, CHARACTERS  # pyright: ignore
        return write_config(
            self.folder,
            self.writer.base_url,
            scenarios=["ethics.bioethics"],
            pictures=pictures,
            speech={**speech, "voices": ["a", "b"]},
            limits={"concurrency": 2, "unpriced": "allow", **limits},
        )

    @property
    def set(self) -> Path:
        return self.folder / "sets" / "made"

    def characters(self) -> int:
        return sum(len(str(body["input"])) for body in self.services.speech_requests)

    def costs(self) -> dict[str, Any]:
        card = json.loads((self.set / "card.json").read_text())
        return {model["model"]: model for model in card["models"]}


@pytest.fixture
def studio(tmp_path: Path) -> Generator[Studio]:
    with served(Script()) as writer, served(Talk()) as services:
        yield Studio(tmp_path, writer, services)


def test_what_services_cost_is_in_the_card_and_estimated(studio: Studio) -> None:
    config = studio.config()
    _, told = safejury(studio.folder, "generate", config, "--estimate")
    said = {line.split()[1]: line.split()[-1] for line in told.splitlines() if "$" in line}
    assert said["images"] == "$1.00"  # four pictures, looked at by nobody
    assert float(said["speech"].lstrip("$")) > 0
    safejury(studio.folder, "generate", config)
    costs = studio.costs()
    assert costs["painter"]["calls"] == 4
    assert costs["painter"]["usd"] == pytest.approx(4 * PICTURE)
    assert costs["speaker"]["calls"] == 8
    assert costs["speaker"]["usd"] == pytest.approx(studio.characters() * CHARACTERS / 1e6)


def test_a_price_that_nobody_knows_is_counted_apart(studio: Studio) -> None:
    safejury(studio.folder, "generate", studio.config(priced=False))
    painter = studio.costs()["painter"]
    assert (painter["usd"], painter["unknown_prices"]) == (0.0, 4)


def test_no_picture_is_drawn_beyond_the_budget(studio: Studio) -> None:
    short = studio.config(max_cost_usd=2.5 * PICTURE)
    _, told = safejury(studio.folder, "generate", short, code=3)
    assert "limits.max_cost_usd of 0.625 does not cover" in told
    assert "Traceback" not in told
    assert studio.services.stats.pictures == 2
    # The money that was spent counts when the command is repeated.
    safejury(studio.folder, "generate", short, code=3)
    assert studio.services.stats.pictures == 2
    safejury(studio.folder, "generate", studio.config(max_cost_usd=10))
    assert studio.services.stats.pictures == 4
    assert studio.costs()["painter"]["usd"] == pytest.approx(4 * PICTURE)


def test_models_of_unknown_price_are_refused_beside_a_limit_of_money(studio: Studio) -> None:
    config = studio.config(max_cost_usd=10, unpriced="refuse")
    _, told = safejury(studio.folder, "generate", config, code=2)
    assert "limits.max_cost_usd does not bind one, two, writer, describer" in told
    assert studio.writer.stats.calls == 0


def test_no_word_is_spoken_beyond_the_budget(studio: Studio) -> None:
    short = studio.config(max_cost_usd=4 * PICTURE + 0.001)
    _, told = safejury(studio.folder, "generate", short, code=3)
    assert "limits.max_cost_usd" in told
    assert studio.services.stats.speeches == 0
    assert not (studio.set / "set.jsonl").exists()


@pytest.mark.parametrize("service", ["pictures", "speech"])
def test_what_a_service_delivered_is_kept_when_the_budget_ends(
    tmp_path: Path, service: str
) -> None:
    """Others that wait for the budget must not end what is being kept."""
    with served(Script()) as writer, served(Talk()) as services:
        studio = Studio(tmp_path, writer, services)
        stages = ("--until", service)
        first = 0.0 if service == "pictures" else 4 * PICTURE
        step = 1.2 * PICTURE if service == "pictures" else 0.08
        for number in range(1, 4):
            config = studio.config(max_cost_usd=first + number * step, concurrency=8)
            safejury(tmp_path, "generate", config, *stages, code=3)
        asked = services.picture_requests if service == "pictures" else services.speech_requests
        kinds = Counter(json.dumps(body, sort_keys=True) for body in asked)
        assert len(asked) >= 3
        assert set(kinds.values()) == {1}


@pytest.mark.slow
def test_no_call_of_a_model_is_paid_for_and_given_up(tmp_path: Path) -> None:
    price = {"input": 1000, "output": 1000}

    def priced(limit: float) -> str:
        panel = [
            {"name": name, "base_url": server.base_url, "model": name, "price": price}
            for name in ("one", "two")
        ]
        generator = {"base_url": server.base_url, "model": "writer", "price": price}
        limits = {"max_cost_usd": limit, "concurrency": 16, "unpriced": "allow"}
        return write_config(
            tmp_path, server.base_url, panel=panel, generator=generator, limits=limits, twins=None
        )

    with served(Script(), latency=0.05) as server:
        for _ in range(2):
            _, told = safejury(tmp_path, "generate", priced(15), code=3)
            assert "limits.max_cost_usd of 15 does not cover" in told
            (spent,) = re.findall(r"\(([0-9.]+) spent\)", told)
            # What came back is in the journal, and all that is there to spend is spent.
            assert 5 < float(spent) <= 15
        assert len(server.requests) > 5
        safejury(tmp_path, "generate", priced(10_000))
    asked = Counter(json.dumps(body, sort_keys=True) for body in server.requests)
    assert set(asked.values()) == {1}


def test_services_are_tried_as_often_as_the_config_says(studio: Studio) -> None:
    def draw(_: object) -> ScriptedReply:
        return ScriptedReply("overloaded", status=500)

    with served(Talk(), pictures=draw) as broken:
        studio.services = broken
        arguments = ("generate", studio.config(attempts=2), "--until", "pictures")
        safejury(studio.folder, *arguments, code=3)
    assert broken.stats.pictures == 4 * 2
