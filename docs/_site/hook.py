"""Adds the reference that is generated from the code to the site."""

import posixpath
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_HERE = Path(__file__).parent
_LINK = re.compile(r"\]\((?P<place>\.\./[^)\s]+)\)")

sys.path.insert(0, str(_HERE))

from command_reference import command_pages, index_page  # noqa: E402
from config_reference import config_page  # noqa: E402
from report_reference import report_page  # noqa: E402


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = command_pages()
    made = {
        "reference/configuration.md": config_page(),
        "reference/report.md": report_page(),
        "reference/commands/index.md": index_page(pages),
        **{f"reference/commands/{name}.md": page for name, page in pages.items()},
    }
    for place, content in made.items():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links that leave `docs/` lead to the repository."""
    if page.file.src_uri.startswith("reference/"):
        return markdown
    folder = posixpath.join("docs", posixpath.dirname(page.file.src_uri))
    repository = _project()["urls"]["Repository"]

    def put(link: re.Match[str]) -> str:
        place = posixpath.normpath(posixpath.join(folder, link["place"]))
        inside = place.startswith("docs/")
        return link[0] if inside else f"]({repository}/blob/main/{place})"

    return _LINK.sub(put, markdown)


def _project() -> dict[str, Any]:
    text = (_HERE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]
