"""The package as it is installed: its names, its files, its layers and its size."""

import ast
import email
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import safejury
from safejury.agents import prompt_hashes
from safejury.assembly import load_config
from safejury.cli.tools import FLOORS
from safejury.evaluation import set_up
from safejury.evaluation.plan import identity_of

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (
    "agents",
    "assembly",
    "cli",
    "common",
    "datasets",
    "deliberation",
    "evaluation",
    "generation",
    "models",
    "targets",
    "testing",
)
TOP = ("__init__.py", "__main__.py", "py.typed")
MOST_LINES, MOST_FUNCTION_LINES, MOST_MODULES = 400, 80, 15
HEAVY = ("aiohttp", "autogen_agentchat", "autogen_core", "litellm", "numpy", "PIL", "rich", "typer")
DATA = (
    "agents/personas/clinician.yaml",
    "agents/prompts/juror_rubric.md",
    "datasets/mini/pictures/mini-medical-advice-1.png",
    "datasets/mini/queries.jsonl",
    "datasets/taxonomy/crosswalk.yaml",
    "datasets/loaders/mappings/xstest.yaml",
    "datasets/taxonomy/taxonomy.yaml",
    "cli/config_template.yaml",
    "evaluation/leaderboard/models.yaml",
    "evaluation/page/static/index.html",
    "generation/prompts/query_propose.md",
    "py.typed",
)
USE_THE_WHEEL = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import safejury
from safejury.agents import bundled_personas, prompt_hashes
from safejury.datasets import load_dataset, load_taxonomy
from safejury.deliberation import Jury
from safejury.cli import main
assert Path(safejury.__file__).is_relative_to(sys.argv[1]), safejury.__file__
assert len(bundled_personas()) >= 7
assert len(load_taxonomy().scenarios) == 23
assert sum(len(query.images) for query in load_dataset("mini")) == 69
print(*sorted(prompt_hashes().values()))
"""


def _python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    # Else the folder `datasets` would stand in for an installed package of that name.
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def _sources() -> Iterator[Path]:
    yield from (ROOT / name for name in TOP if name.endswith(".py"))
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).glob("**/*.py"))


def _module(path: Path) -> tuple[str, ...]:
    return path.relative_to(ROOT).with_suffix("").parts


def _imported(path: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the package or module of each relative import of a file, and the name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = _module(path)[: -node.level]
            whole = (*base, *(node.module.split(".") if node.module else ()))
            for alias in node.names:
                yield whole, alias.name


def _folders(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield the folder of each module that a file imports, its package's where it names one."""
    for whole, name in _imported(path):
        where = (*whole, name)
        if (ROOT / Path(*where)).is_dir():
            yield where
        elif (ROOT / Path(*whole)).is_dir():
            yield whole
        else:
            yield whole[:-1]


def _taken_up(init: Path) -> set[str]:
    """Return the public names that an `__init__` takes up from its own modules."""
    return {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(init.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    }


def _order(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def _modules() -> list[ModuleType]:
    return [import_module(f"safejury.{folder}") for folder in FOLDERS]


@pytest.mark.parametrize("module", _modules(), ids=FOLDERS)
def test_the_public_names_are_all_there_and_in_order(module: ModuleType) -> None:
    names = list(module.__all__)
    assert names == sorted(set(names), key=_order)
    assert set(names) == _taken_up(Path(str(module.__file__)))
    for name in names:
        assert getattr(module, name) is not None


def test_what_a_package_loads_when_it_is_asked_for_is_what_it_shows_to_checkers() -> None:
    """Under the name that it has in its module: another would be found by checkers alone."""
    for init in (path for path in _sources() if path.name == "__init__.py"):
        tree = ast.parse(init.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        maps = [
            ast.literal_eval(call.args[1])
            for call in calls
            if isinstance(call.func, ast.Name) and call.func.id == "lazy"
        ]
        loaded = {(at, name) for each in maps for at, names in each.items() for name in names}
        shown = {
            (node.module, alias.asname or alias.name)
            for block in tree.body
            if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
            for node in block.body
            if isinstance(node, ast.ImportFrom) and node.level == 1
            for alias in node.names
        }
        renamed = [
            alias.asname
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.level == 1
            for alias in node.names
            if alias.asname is not None and maps
        ]
        assert (loaded ^ shown if maps else set(), renamed) == (set(), []), init


@pytest.mark.parametrize("module", _modules(), ids=FOLDERS)
def test_a_name_that_is_not_there_is_an_attribute_error(module: ModuleType) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name


def test_importing_the_package_imports_nothing_heavy(tmp_path: Path) -> None:
    names = ", ".join(f"safejury.{folder}" for folder in FOLDERS)
    code = f"import sys, safejury, {names}; print(*set(sys.modules) & set({HEAVY!r}))"
    done = _python("-c", code, cwd=tmp_path)
    assert (done.stdout.strip(), done.stderr) == ("", "")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = _python("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as files:
        return set(files.namelist())


def test_the_wheel_takes_one_name_of_everybodys(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in _names(wheel)}
    (info,) = tops - {"safejury"}
    assert info.endswith(".dist-info")


def test_the_wheel_has_every_file_of_the_folders(wheel: Path) -> None:
    names = _names(wheel)
    assert names >= {f"safejury/{name}" for name in DATA}
    sources = {
        f"safejury/{path.relative_to(ROOT).as_posix()}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if name.startswith("safejury/")} == sources | {
        f"safejury/{name}" for name in TOP
    }


def test_a_package_index_is_told_all_and_its_links_lead_somewhere(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        (name,) = (name for name in files.namelist() if name.endswith("/METADATA"))
        about = email.message_from_bytes(files.read(name))
    assert about["Author"] == "safejury maintainers"
    assert about["License-Expression"] == "Apache-2.0"
    assert len(str(about["Keywords"]).split(",")) > 3
    assert len(about.get_all("Classifier", [])) > 3
    urls = dict(url.split(", ") for url in about.get_all("Project-URL", []))
    assert urls.keys() == {"Repository", "Documentation", "Changelog", "Issues"}
    readme = str(about.get_payload())
    links = re.findall(r"\]\(([^)\s]+)\)", readme)
    assert f"{urls['Repository']}/raw/main/docs/deliberation.svg" in links
    assert [link for link in links if not link.startswith("https://")] == []


def test_the_source_distribution_has_all_that_a_packager_needs(tmp_path: Path) -> None:
    done = _python("-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as files:
        names = {Path(name).relative_to(Path(name).parts[0]) for name in files.getnames()}
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    kept = {Path(name) for name in listed if not name.startswith(".")}
    assert kept - names == set()


def test_the_wheel_works_where_there_is_no_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as files:
        files.extractall(site)
    done = _python("-c", USE_THE_WHEEL, str(site), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == sorted(prompt_hashes().values())


def _called_or_inherited(path: Path) -> set[str]:
    """Return the names that a file calls, or derives classes from."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    used = [node.func for node in nodes if isinstance(node, ast.Call)]
    used += [base for node in nodes if isinstance(node, ast.ClassDef) for base in node.bases]
    return {node.id for node in used if isinstance(node, ast.Name)}


def test_commands_open_their_models_in_one_place() -> None:
    """Else the limits, budget and cache of one command would drift from those of another."""
    parts = {
        "Budget",
        "LeaseBook",
        "LendingBudget",
        "ModelRegistry",
        "PlaceLimits",
        "ResponseCache",
        "RetryPolicy",
        "server_clock",
    }
    own = {
        str(path.relative_to(ROOT)): found
        for folder in ("cli", "evaluation", "generation")
        for path in (ROOT / folder).rglob("*.py")
        if (found := _called_or_inherited(path) & parts)
    }
    # A renderer or a speaker that is used on its own has no bound.
    assert own == {"generation/pipeline/_services.py": {"Budget"}}


def test_autogen_is_imported_in_two_folders_only() -> None:
    """So that another framework can take its place there, and nowhere else."""
    importing = {
        "/".join(_module(path)[:-1][:2])
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""][node.level :]
        )
        if name.startswith("autogen")
    }
    assert importing == {"agents/autogen", "deliberation/bus"}


def test_prompts_are_known_by_their_content() -> None:
    files = sorted((ROOT / "agents" / "prompts").glob("*.md"))
    # What goes into a rubric of the user's own is known with that rubric.
    assert prompt_hashes(quotes=True, talk=True, decides=True, audits=True) == {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not path.stem.startswith("rubric_")
    }


def test_prompts_of_the_roundtable_are_named_where_one_is_held_alone() -> None:
    """A run of another protocol keeps its identity, whatever the roundtable's prompts say."""
    of_talk = prompt_hashes(talk=True).keys() - prompt_hashes().keys()
    assert of_talk == {
        "juror_revote",
        "juror_talk",
        "juror_turn",
        "juror_turn_reply",
        "juror_turn_retry",
        "juror_turn_words",
    }


def test_a_record_names_the_prompts_and_personas_it_was_made_with(tmp_path: Path) -> None:
    persona = tmp_path / "mine.yaml"
    persona.write_text("name: mine\ntitle: Mine\nperspective: Looks.\ninstructions: Look.\n")
    config = tmp_path / "safejury.yaml"
    place = "{base_url: 'http://127.0.0.1:9/v1', model: m"
    config.write_text(
        "dataset: queries.jsonl\n"
        f"targets: [{place}, name: t}}]\n"
        f"jury: {{jurors: [{place}, persona: ./mine.yaml}}]}}\n"
    )
    query = '{"id": "q", "scenario": "legal_advice", "text": "How?", "intent": "harmful"}'
    (tmp_path / "queries.jsonl").write_text(query)

    def identity() -> dict[str, object]:
        return identity_of(set_up(load_config(config), tmp_path))

    first = identity()
    assert first["prompts"] == prompt_hashes(quotes=True)
    persona.write_text(persona.read_text().replace("Looks.", "Looks away."))
    assert {key for key, value in identity().items() if value != first[key]} == {"personas"}


def test_what_is_installed_has_none_of_the_holes_that_the_doctor_knows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["vllm"]]
    for package, floor in FLOORS.items():
        assert f"{package}>={floor.version}" in asked


def test_imports_point_one_way(tmp_path: Path) -> None:
    name = "lint-imports.exe" if os.name == "nt" else "lint-imports"
    linter = Path(sys.executable).with_name(name)
    done = subprocess.run(
        [linter, "--no-logo", "--cache-dir", tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Imports point one way KEPT" in done.stdout


def test_no_file_and_no_function_is_too_long() -> None:
    too_long: list[str] = []
    for path in _sources():
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > MOST_LINES:
            too_long.append(path.name)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    too_long.append(f"{path.name}: {node.name}")
    assert not too_long


def test_no_folder_imports_a_private_module_of_another() -> None:
    """A module imports its own folder's modules, those around it, and packages by their names."""
    found: list[str] = []
    for path in _sources():
        folder = _module(path)[:-1]
        for whole, name in _imported(path):
            private = next((i for i, part in enumerate(whole) if part.startswith("_")), len(whole))
            owner = whole[:private] if private < len(whole) else whole
            if private == len(whole) and not name.startswith("_"):
                continue
            if folder[: len(owner)] != owner:
                found.append(f"{path.relative_to(ROOT)}: {'.'.join(whole)} {name}")
    assert not found


def test_the_folders_within_a_folder_form_no_circle() -> None:
    graphs: dict[tuple[str, ...], dict[str, set[str]]] = {}
    for path in _sources():
        folder = _module(path)[:-1]
        for other in _folders(path):
            depth = next(
                (i for i, (a, b) in enumerate(zip(folder, other, strict=False)) if a != b), None
            )
            if depth is not None:
                graph = graphs.setdefault(folder[:depth], {})
                graph.setdefault(folder[depth], set()).add(other[depth])
    assert len(graphs) > len(FOLDERS) // 2
    for graph in graphs.values():
        tuple(TopologicalSorter(graph).static_order())


def test_no_folder_has_too_many_modules() -> None:
    counts = Counter(path.parent for path in _sources() if path.name != "__init__.py")
    assert {str(folder): n for folder, n in counts.items() if n > MOST_MODULES} == {}


def test_no_name_at_the_root_is_that_of_a_standard_module() -> None:
    names = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert not names & sys.stdlib_module_names


NAMES = (
    *("Ballot", "BallotOutcome", "CaseTranscript", "Cases", "ConfigurationError", "Cost"),
    *("DatasetError", "Decision", "Finding", "FirstContactError", "Intent", "Judgment", "Jury"),
    *("JuryCard", "Media", "read_card", "ReviewCase", "review_sample"),
    *("ModelError", "OutOfBudgetError", "OutageError", "Persona", "PersonaSampling", "Protocol"),
    *("Query", "RecordChangedError", "RecordError", "Replay", "Response", "ResponseOutcome"),
    *("Comparison", "Result", "compare", "replay"),
    *("Rule", "RunSummary", "SafejuryError", "TargetSummary", "Verdict", "Votes"),
    *("bundled_personas", "calibrate", "endpoint", "evaluate", "evaluate_sync", "judge"),
    *("judge_sync", "load", "merge"),
    *("load_dataset", "load_persona", "load_taxonomy", "model", "read_media", "seat", "target"),
)
"""What a researcher needs, and finds at the root."""
USE_THE_ROOT = """
import sys
import safejury as sj
assert sj.datasets.load_dataset is sj.load_dataset
assert sj.testing.ScriptedServer
print(*dir(sj))
"""


def test_the_root_has_what_a_researcher_needs(tmp_path: Path) -> None:
    """Completion lists the names, checkers see them, and they are imported when first used."""
    assert {*safejury.__all__} == {*NAMES, "__version__"}
    assert {*NAMES} == _taken_up(ROOT / "__init__.py")
    for name in NAMES:
        assert getattr(safejury, name) is not None
    with pytest.raises(AttributeError, match="'safejury' has no attribute 'evalaute'"):
        getattr(safejury, "evalaute")  # noqa: B009 - or a checker would see it
    done = _python("-c", USE_THE_ROOT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {*done.stdout.split()} >= {*NAMES, *FOLDERS}
