"""The folder of a set."""

from pathlib import Path

from safejury.generation import SetFolder


def test_it_is_made_for_its_owners_eyes_alone(tmp_path: Path) -> None:
    folder = SetFolder(tmp_path / "sets" / "made")
    folder.write_bytes("media/one.png", b"...")
    made = [folder.path, *folder.path.rglob("*")]
    modes = {path.name: path.stat().st_mode & 0o777 for path in made}
    assert modes == {"made": 0o700, "media": 0o700, "one.png": 0o600}
