"""A published set is found in its repository, in its data alone, and as its script left it."""

import shutil
from pathlib import Path

import pytest

from safejury.datasets import load_set
from safejury.datasets.loaders import loader_for

SAMPLES = Path(__file__).with_name("loader_samples")
Facts = list[tuple[str, str, str, tuple[str, ...]]]


def facts(loader: str, path: Path, settings: dict[str, str] | None = None) -> Facts:
    """Return what a set asks and shows."""
    return [
        (query.id, query.scenario, query.text, tuple(image.sha256 for image in query.images))
        for query in load_set(loader, path, settings=settings)
    ]


@pytest.mark.parametrize(
    ("loader", "inside"),
    [
        ("figstep", "data"),
        ("harmbench", "data"),
        ("harmbench", "data/behavior_datasets"),
        ("jailbreakbench", "data"),
        ("jailbreakv-28k", "JailBreakV_28K"),
        ("mm-safetybench", "data"),
        ("mossbench", "data"),
        ("msts", "data"),
        ("strongreject", "strongreject_dataset"),
        ("siuo", "siuo_gen.json"),
        ("vlguard", "test.json"),
    ],
)
def test_a_part_of_a_repository_is_the_set_too(loader: str, inside: str) -> None:
    whole = SAMPLES / loader.replace("-", "_")
    assert facts(loader, whole / inside) == facts(loader, whole) != []
    found = loader_for(whole / inside)
    assert found is not None
    assert found.name == loader


IMAGES = "data/unsafe_images"


@pytest.mark.parametrize(
    ("loader", "settings", "moves"),
    [
        (
            "harmbench",
            {"split": "multimodal"},
            {"data/multimodal_behavior_images": "multimodal_behavior_images"},
        ),
        ("mm-safetybench", {}, {"data/imgs": "imgs"}),
        ("mm-safetybench", {}, {"data/imgs": "MM-SafetyBench(imgs)"}),
        ("mm-safetybench", {}, {"data/processed_questions": "processed_questions"}),
        (
            "mossbench",
            {},
            {"data/images_information": "images_information", "data/images": "images"},
        ),
        ("msts", {}, {IMAGES: "unsafe_images"}),
        ("msts", {}, {IMAGES: "images"}),
        ("msts", {}, {IMAGES: "data/images"}),
        ("siuo", {}, {"siuo_gen.json": "data/siuo_gen.json", "images": "data/images"}),
        ("vlguard", {}, {"test.json": "data/test.json", "test": "data/test"}),
        ("vlguard", {}, {"test": "VLGuard/test"}),
    ],
    ids=str,
)
def test_what_was_unpacked_elsewhere_is_found(
    loader: str, settings: dict[str, str], moves: dict[str, str], tmp_path: Path
) -> None:
    whole = SAMPLES / loader.replace("-", "_")
    copy = tmp_path / "set"
    shutil.copytree(whole, copy)
    for place, other in moves.items():
        (copy / other).parent.mkdir(exist_ok=True)
        if (copy / other).is_dir():  # what lies there stays
            shutil.copytree(copy / place, copy / other, dirs_exist_ok=True)
            shutil.rmtree(copy / place)
        else:
            shutil.move(copy / place, copy / other)
    assert facts(loader, copy, settings) == facts(loader, whole, settings) != []
