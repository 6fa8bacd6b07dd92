"""The site of the docs: it builds without a warning, and its reference has all there is."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from pydantic import BaseModel

from safejury.agents import bundled_personas
from safejury.assembly import Config
from safejury.cli import app
from safejury.generation.config import GenerateConfig

ROOT = Path(__file__).parents[1]


class Loaded(HTMLParser):
    """Collects what a page loads, and the text of its tables' cells."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.text = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        kind = (at.get("rel") or "").split()
        if tag in ("script", "img", "iframe") or (tag == "link" and "stylesheet" in kind):
            self.loads.append(at.get("src") or at.get("href") or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, as `make docs` does."""
    place = tmp_path_factory.mktemp("site")
    command = (sys.executable, "-P", "-m", "mkdocs", "build", "--strict", "--site-dir", str(place))
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(
        command, check=False, cwd=ROOT, env=quiet, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return place


@pytest.mark.slow
def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loads = {load for page in site.rglob("*.html") for load in Loaded(page).loads}
    assert loads
    assert not [load for load in loads if re.match(r"(https?:)?//", load)]


def is_model(kind: Any) -> bool:
    """Return whether a type is a part of a config."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def keys(model: type[BaseModel], found: dict[type[BaseModel], set[str]]) -> None:
    """Collect the names of the keys of a model and of its parts."""
    if model in found:
        return
    found[model] = set(model.model_fields)
    for field in model.model_fields.values():
        waiting: list[Any] = [field.annotation]
        while waiting:
            kind = waiting.pop()
            if is_model(kind):
                keys(kind, found)
            waiting += getattr(kind, "__args__", ())


@pytest.mark.slow
@pytest.mark.parametrize("model", [Config, GenerateConfig])
def test_every_key_of_a_config_is_in_the_reference(site: Path, model: type[BaseModel]) -> None:
    page = (site / "reference/configuration.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr>\s*<td><code>([^<]+)</code></td>(.*?)</tr>", page, re.DOTALL)
    meanings = {
        re.split(r"[.]", key.replace("[]", "").replace("{}", ""))[-1]: re.findall(
            r"<td>(.*?)</td>", rest, re.DOTALL
        )[-1]
        for key, rest in rows
    }
    found: dict[type[BaseModel], set[str]] = {}
    keys(model, found)
    names = {name for part in found.values() for name in part}
    assert len(names) > 40
    assert {name for name in names if not meanings.get(name, "").strip()} == set()


@pytest.mark.slow
def test_every_command_has_a_page_with_all_its_options(site: Path) -> None:
    root: Any = typer.main.get_command(app)
    lacking: list[str] = []
    for name, command in root.commands.items():
        if getattr(command, "commands", None):
            continue
        text = Loaded(site / f"reference/commands/{name}.html").text
        shown = [each for each in command.params if not getattr(each, "hidden", False)]
        options = [each.opts[0] for each in shown if each.opts[0].startswith("--")]
        lacking += [f"{name} {option}" for option in options if option not in text]
    assert not lacking


def test_the_page_on_installing_names_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == set(
        project["optional-dependencies"]
    )


def test_the_page_on_personas_names_every_bundled_one() -> None:
    page = (ROOT / "docs/personas.md").read_text(encoding="utf-8")
    table = page.partition("## Your own")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == {
        persona.name for persona in bundled_personas()
    }


def test_the_container_installs_from_files_that_are_there_and_runs_a_command() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    copied = [place for line in lines if line.startswith("COPY") for place in line.split()[1:-1]]
    locked = re.findall(r"-r (\S+)", "\n".join(lines))
    assert set(locked) <= set(copied)
    assert all((ROOT / place).exists() for place in copied)
    (command,) = (line.partition(" ")[2] for line in lines if line.startswith("CMD"))
    root: Any = typer.main.get_command(app)
    assert json.loads(command)[0] in root.commands


def test_the_citation_is_of_this_project_and_its_license() -> None:
    cited: Any = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["license"] == project["license"]
    assert cited["title"].startswith(project["name"])
    assert {"cff-version", "message", "authors", "references"} <= cited.keys()


def said_in_code() -> str:
    """Return all texts of the package that are written as one piece, one after the other."""
    folders = [path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()]
    texts: list[str] = []
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = [p.value if isinstance(p, ast.Constant) else "…" for p in node.values]
                    texts.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(node.value)
    return "\n".join(texts)


def test_messages_of_the_page_on_troubleshooting_are_ones_that_are_said() -> None:
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^\*\*`(.+)`\*\*$", page, re.MULTILINE)
    said = said_in_code()
    assert len(quoted) > 20
    assert [message for message in quoted if message not in said] == []
