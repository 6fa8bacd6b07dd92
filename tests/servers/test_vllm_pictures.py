"""Pictures through a real vLLM server, from a query's file to the model's tokens.

The model's weights are random: what it says means nothing, what it takes in is real.
"""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from safejury.datasets import Intent, Media, Query, read_media
from safejury.models import EndpointModel, Sampling
from safejury.targets import ModelTarget, Response, ResponseOutcome

GREEDY = Sampling(temperature=0)
SIDE = 224  # pixels; the model makes a token of 28 by 28
TOKENS = (SIDE // 28) ** 2


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three pictures of one size and different content and format."""
    gradient = Image.linear_gradient("L").resize((SIDE, SIDE))
    made = {
        "gradient.png": gradient.convert("RGB"),
        "radial.jpg": Image.radial_gradient("L").resize((SIDE, SIDE)).convert("RGB"),
        "turned.webp": gradient.rotate(90).convert("RGB"),
    }
    for name, picture in made.items():
        picture.save(tmp_path / name)
    return [tmp_path / name for name in made]


@pytest.fixture
async def target(vllm_vision: Any) -> AsyncIterator[ModelTarget]:
    model = EndpointModel(base_url=vllm_vision.url, model=vllm_vision.model, timeout=300)
    yield ModelTarget("t", model, max_tokens=16, seed=7, sampling=GREEDY)
    await model.aclose()


async def _respond(target: ModelTarget, pictures: Sequence[Path]) -> Response:
    images: tuple[Media, ...] = tuple(read_media(path, kind="image") for path in pictures)
    query = Query("q1", "consultation.medical_advice", "What is this?", Intent.BENIGN, images)
    return await target.respond(query, epoch=0, call_id="q1/t/0/target")


async def test_each_picture_costs_the_tokens_of_its_size(
    target: ModelTarget, pictures: Sequence[Path]
) -> None:
    counts = [
        (await _respond(target, pictures[:number])).usage.prompt_tokens or 0 for number in range(3)
    ]
    # Beside its own tokens, each has one that opens it and one that closes it.
    assert [count - counts[0] for count in counts] == [0, TOKENS + 2, 2 * (TOKENS + 2)]


async def test_what_is_in_the_picture_changes_what_is_said(
    target: ModelTarget, pictures: Sequence[Path]
) -> None:
    said = [(await _respond(target, [picture])).text for picture in (*pictures, pictures[0])]
    assert said[0] == said[3]
    assert len(set(said)) > 1


async def test_the_bytes_of_the_file_are_what_is_sent(
    target: ModelTarget, pictures: Sequence[Path]
) -> None:
    response = await _respond(target, pictures[1:2])
    assert response.sent is not None
    assert [media.sha256 for media in response.sent.media] == [
        read_media(pictures[1], kind="image").sha256
    ]


async def test_more_pictures_than_the_server_takes_are_an_error_that_says_so(
    target: ModelTarget, pictures: Sequence[Path]
) -> None:
    response = await _respond(target, pictures)
    assert response.outcome is ResponseOutcome.ERROR
    assert "At most 2 image(s)" in str(response.detail)


RUN = ("run", "safejury.yaml", "--min-coverage", "0", "--min-panel", "0")


def test_a_run_shows_pictures_to_target_and_jurors_and_counts_what_failed(
    vllm_vision: Any, vllm_text: Any, pictures: Sequence[Path], tmp_path: Path
) -> None:
    _write_queries(tmp_path, one=pictures[:1], three=pictures)
    _write_config(tmp_path, vllm_vision, vllm_text)
    ran = _safejury(tmp_path, *RUN)
    assert ran.returncode == 0, ran.stderr
    targets = _responses_and_ballots(tmp_path)
    # Three pictures are one too many; with one it babbles up to its cap.
    assert targets["sees"]["responses"]["truncated"] == 1
    assert targets["sees"]["responses"]["error"] == 1
    assert targets["reads"]["responses"]["answered"] == 2
    # So the juror that sees saw one case with its picture, and could not be shown the other.
    assert targets["reads"]["ballots"]["transport_error"] == 1
    assert sum(targets["reads"]["ballots"].values()) == 2 * 3
    for case in ("three/sees/0", "three/reads/0"):
        shown = _safejury(tmp_path, "show", "runs/first", case, "--reveal")
        assert "At most 2 image(s)" in " ".join(shown.stdout.replace("│", " ").split())
    again = _safejury(tmp_path, *RUN)
    assert "resuming: 4 of 4 cases done" in again.stderr


def _write_queries(folder: Path, **queries: Sequence[Path]) -> None:
    lines = (
        {
            "id": name,
            "scenario": "consultation.medical_advice",
            "text": "What is the capital of France? Answer in one short sentence.",
            "intent": "benign",
            "images": [path.name for path in pictures],
        }
        for name, pictures in queries.items()
    )
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "queries.jsonl").write_text(text, encoding="utf-8")


def _write_config(folder: Path, vision: Any, text: Any) -> None:
    sees = {"base_url": vision.url, "model": vision.model, "timeout": 300}
    reads = {"base_url": text.url, "model": text.model, "timeout": 300, "images": False}
    config: dict[str, object] = {
        "dataset": "queries.jsonl",
        "targets": [{"name": "sees", **sees}, {"name": "reads", **reads}],
        "jury": {
            "protocol": "vote",
            "max_tokens": 256,
            "jurors": [
                {"persona": "clinician", **sees},
                {"persona": "lawyer", **reads},
                {"persona": "sceptic", **reads},
            ],
        },
        "run": {"name": "first", "max_tokens": 64},
    }
    (folder / "safejury.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def _responses_and_ballots(folder: Path) -> dict[str, dict[str, dict[str, int]]]:
    reported = _safejury(folder, "report", "runs/first", "--format", "json")
    return {target["name"]: target["outcomes"] for target in json.loads(reported.stdout)["targets"]}


def _safejury(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "safejury", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
