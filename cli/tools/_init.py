"""The command that writes a config to start from: `safejury init`."""

from pathlib import Path
from typing import Annotated

import typer

from ...common import ConfigurationError
from ..console import guarded, say


@guarded
def init(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="File to write.")] = Path(
        "safejury.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a commented config to start from."""
    template = Path(__file__).parents[1] / "config_template.yaml"
    text = template.read_text(encoding="utf-8")
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(f"{path}: exists already: add --force to replace it") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written ({error.strerror})") from None
    say(f"Wrote {path}. Next: safejury run {path}")
