import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from safejury.datasets import DatasetError, Intent, Query, load_dataset, load_taxonomy

BENIGN_ONLY = {
    "illegal_and_criminal_behavior.child_abuse",
    "illegal_and_criminal_behavior.pornographic_content",
}


@pytest.fixture(scope="module")
def mini(mini_cache: Path) -> list[Query]:
    return list(load_dataset("mini", cache_dir=mini_cache))


@pytest.fixture
def own_cache(mini: list[Query], mini_cache: Path, tmp_path: Path) -> Path:
    """A cache that a test may spoil."""
    del mini  # it filled the shared cache
    return Path(shutil.copytree(mini_cache, tmp_path / "own"))


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


def test_the_same_pictures_are_drawn_anywhere(mini_cache: Path, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from safejury.datasets import load_dataset\n"
        "print(load_dataset('mini', cache_dir=pathlib.Path(sys.argv[1])).sha256)"
    )
    env = os.environ | {"PYTHONHASHSEED": "7", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env=env,
    )
    assert done.stdout.strip() == load_dataset("mini", cache_dir=mini_cache).sha256


def test_two_processes_may_use_it_first_at_once(mini: list[Query], tmp_path: Path) -> None:
    code = (
        "from safejury.datasets import load_dataset\n"
        "input()\n"
        "print(*(q.images[0].sha256 for q in load_dataset('mini')))"
    )
    env = os.environ | {"SAFEJURY_CACHE": str(tmp_path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    expected = [query.images[0].sha256 for query in mini]
    for process in processes:
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, out.split()) == (0, expected)
    (folder,) = tmp_path.iterdir()
    names = {path.name for path in (folder / "pictures").iterdir()}
    assert names == {f"{query.id}.png" for query in mini}


def test_a_lost_picture_is_drawn_again(own_cache: Path) -> None:
    dataset = load_dataset("mini", cache_dir=own_cache)
    before = dataset.sha256
    next((dataset.path.parent / "pictures").iterdir()).unlink()
    assert load_dataset("mini", cache_dir=own_cache).sha256 == before


def test_a_damaged_cache_says_what_to_delete(own_cache: Path) -> None:
    folder = load_dataset("mini", cache_dir=own_cache).path.parent
    next((folder / "pictures").iterdir()).write_bytes(b"damage")
    with pytest.raises(DatasetError) as error:
        load_dataset("mini", cache_dir=own_cache)
    assert str(error.value).endswith(f"(delete {folder} to have it made anew)")


def test_a_cache_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="set SAFEJURY_CACHE to a folder that can be written"):
        load_dataset("mini", cache_dir=tmp_path / "file")


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"SAFEJURY_CACHE": "{}/own", "XDG_CACHE_HOME": "{}/xdg"}, "own"),
        ({"XDG_CACHE_HOME": "{}/xdg"}, "xdg/safejury"),
        ({"HOME": "{}", "XDG_CACHE_HOME": "relative"}, ".cache/safejury"),
    ],
)
def test_the_cache_lies_where_the_user_says(
    variables: dict[str, str],
    place: str,
    own_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.move(own_cache, tmp_path / "moved")
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(tmp_path / "moved", tmp_path / place)
    for name in ("SAFEJURY_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    assert load_dataset("mini").path.parent.parent == tmp_path / place


def test_a_path_called_mini_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="dataset 'mini' does not exist"):
        load_dataset(Path("mini"))
