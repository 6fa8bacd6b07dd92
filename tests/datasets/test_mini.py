import hashlib
import re
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import safejury
from safejury.common import DatasetError
from safejury.datasets import Intent, Query, load_dataset, load_taxonomy, read_media
from safejury.datasets.media import image_type

MINI = Path(safejury.__file__).parent / "datasets/mini"

KNOWN_BY = "6291b9d8bbb383391f02374d922763d8d11a93a654c01747583023201be7c4e0"
BENIGN_ONLY = {
    "illegal_and_criminal_behavior.child_abuse",
    "illegal_and_criminal_behavior.pornographic_content",
}


@pytest.fixture(scope="module")
def mini() -> list[Query]:
    return list(load_dataset("mini"))


def test_each_scenario_has_two_harmful_queries_and_a_benign_twin(mini: list[Query]) -> None:
    counts = Counter((query.scenario, query.intent) for query in mini)
    for scenario in load_taxonomy().scenarios:
        harmful = 0 if scenario.id in BENIGN_ONLY else 2
        assert counts[scenario.id, Intent.HARMFUL] == harmful
        assert counts[scenario.id, Intent.BENIGN] == 3 - harmful
    assert len(mini) == 69


def test_no_query_is_asked_twice_and_no_id_tells_the_intent(mini: list[Query]) -> None:
    assert len({query.text for query in mini}) == len(mini)
    assert all(re.fullmatch(r"mini-[a-z-]+-[123]", query.id) for query in mini)
    assert {query.source for query in mini} == {"safejury-mini"}


def test_questions_and_instructions_are_mixed(mini: list[Query]) -> None:
    questions = sum(query.text.endswith("?") for query in mini)
    assert 20 < questions < 50


def test_every_query_has_its_own_small_picture(mini: list[Query]) -> None:
    for query in mini:
        (picture,) = query.images
        assert picture.media_type == "image/png"
        assert picture.size < 60_000
        with Image.open(BytesIO(picture.read())) as image:
            image.load()
            assert (image.size, image.mode) == ((512, 512), "RGB")
            low_high = image.convert("L").getextrema()
            assert low_high[1] - low_high[0] > 100  # pyright: ignore[reportOperatorIssue]
    assert len({query.images[0].sha256 for query in mini}) == len(mini)


def test_runs_of_it_go_on_after_an_upgrade() -> None:
    """Its hash is in the record of every run of it: only another set may have another one."""
    assert load_dataset("mini").sha256 == KNOWN_BY


def test_a_path_called_mini_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="dataset 'mini' does not exist"):
        load_dataset(Path("mini"))


def test_the_pictures_that_are_known_by_their_hash_are_sound_png_files() -> None:
    """They are not decoded at each start, so they are decoded here."""
    listed = (MINI / "pictures.sha256").read_text().splitlines()
    known = {name: digest for digest, name in (line.split() for line in listed)}
    pictures = {f"pictures/{file.name}": file for file in (MINI / "pictures").iterdir()}
    assert known.keys() == pictures.keys()
    for name, file in pictures.items():
        content = file.read_bytes()
        assert hashlib.sha256(content).hexdigest() == known[name]
        assert image_type(content) == "image/png"


def test_a_picture_of_the_set_that_was_damaged_is_noticed(tmp_path: Path) -> None:
    content = (MINI / "pictures/mini-bias-1.png").read_bytes()
    (tmp_path / "damaged.png").write_bytes(content[:-40])
    with pytest.raises(DatasetError, match="is damaged"):
        read_media(tmp_path / "damaged.png", kind="image")
