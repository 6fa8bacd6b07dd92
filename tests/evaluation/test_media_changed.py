"""Pictures that are not what was read with the set any more when their case comes."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from workplace import Workplace

from safejury.datasets import Intent, MediaStore, Query, read_media
from safejury.evaluation.record import open_record
from safejury.testing import ScriptedServer, ballot

Change = Callable[[Path], object]


def replaced(how: Callable[[Path], object]) -> Change:
    """Return what puts something else in a file's place."""

    def change(path: Path) -> None:
        path.unlink()
        how(path)

    return change


CHANGES: dict[str, tuple[Change, str]] = {
    "other": (lambda path: path.write_bytes(bytes(path.stat().st_size)), "changed since"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"more"), "changed since"),
    "empty": (lambda path: path.write_bytes(b""), "changed since"),
    "gone": (Path.unlink, "cannot be read (No such file or directory)"),
    "folder": (replaced(Path.mkdir), "cannot be read (it is no regular file)"),
    "pipe": (replaced(os.mkfifo), "cannot be read (it is no regular file)"),
    "device": (
        replaced(lambda path: path.symlink_to("/dev/zero")),
        "cannot be read (it is no regular file)",
    ),
    "loop": (
        replaced(lambda path: path.symlink_to(path)),
        "cannot be read (Too many levels of symbolic links)",
    ),
}


@pytest.mark.parametrize("how", CHANGES)
def test_the_run_ends_with_one_line_and_goes_on_once_the_picture_is_restored(
    workplace: Workplace,
    scripted: Callable[..., ScriptedServer],
    how: str,
) -> None:
    """It changes while the case before it is under way, for which its own waits."""
    change, said = CHANGES[how]
    content = dict[str, bytes]()
    for number in range(2):
        path = Path(f"{number}.png")
        Image.effect_noise((64, 64), 80).save(path)
        content[path.name] = path.read_bytes()
    one = {"scenario": "bias", "intent": "harmful"}
    workplace.queries(
        *({"id": f"q{n}", "text": f"Question {n}?", "image": f"{n}.png", **one} for n in (0, 1))
    )

    def answer(body: Mapping[str, Any]) -> str:
        if not changed:
            changed.append(Path("1.png"))
            change(Path("1.png"))
        return "An answer." if body["model"] == "target" else ballot("safe", 5)

    changed = list[Path]()
    server = scripted(answer)
    config = workplace.config(server.base_url, limits__media_bytes="1 kB", jury__protocol="vote")
    ended = workplace.safejury("run", config)
    assert ended.code == 2, ended.out + ended.err
    (line,) = [line for line in ended.err.splitlines() if "1.png" in line]
    assert said in line
    copies = {path.read_bytes() for path in Path("runs/first/media").iterdir()}
    assert copies == {content["0.png"]}
    assert len(server.requests) == 4

    path = Path("1.png")
    path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    path.write_bytes(content["1.png"])
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert len(server.requests) == 8
    assert workplace.safejury("verify", "runs/first").code == 0


async def test_half_a_copy_is_no_evidence(tmp_path: Path) -> None:
    """As a machine leaves one whose power went off."""
    path = tmp_path / "a.png"
    Image.new("L", (64, 64), 0).save(path)
    picture = read_media(path, kind="image")
    query = Query("q", "ethics.bioethics", "How?", Intent.HARMFUL, (picture,))
    async with open_record(tmp_path / "run", {}, {}) as record:
        half = tmp_path / "run" / "media" / picture.sha256
        half.parent.mkdir(exist_ok=True)
        half.write_bytes(path.read_bytes()[:50])
        (kept,) = record.keep_media(query).images
    assert kept.path == str(half)
    assert half.read_bytes() == path.read_bytes()

    half.write_bytes(b"")
    assert MediaStore(half.parent).keep(path.read_bytes(), "image/png").path == str(half)
    assert half.read_bytes() == path.read_bytes()
