"""Gives the package index a README whose links and pictures work there."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(
    r"(?P<picture>!?)\[(?P<said>[^\]]*)\]\((?!https?://|#|mailto:)(?P<place>[^)\s]+)\)"
)


def absolute(readme: str, repository: str) -> str:
    """Return Markdown whose relative links and pictures start at the repository's address."""

    def put(link: re.Match[str]) -> str:
        way = "raw" if link["picture"] else "blob"
        return f"{link['picture']}[{link['said']}]({repository}/{way}/main/{link['place']})"

    return _LINK.sub(put, readme)


class ReadmeHook(MetadataHookInterface):
    """Sets the long description."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README to the metadata."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        repository = str(metadata["urls"]["Repository"])
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolute(text, repository),
        }
