"""Facts on targets: from the config or the bundled table, and never part of a run's identity."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from workplace import Workplace

from safejury.assembly import load_config
from safejury.common import ConfigurationError
from safejury.evaluation import set_up
from safejury.evaluation.leaderboard import Leaderboard, known_model, known_models
from safejury.evaluation.plan import identity_of
from safejury.evaluation.record import RecordReader
from safejury.evaluation.report import StoredRun

MINE = {"family": "Mine", "size_b": 7, "released": "2025-03"}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("openai/gpt-4o-2024-08-06", "gpt-4o"),
        ("Qwen/Qwen2-VL-7B-Instruct-AWQ", "qwen2-vl-7b-instruct"),
        ("openbmb/MiniCPM-V-2_6", "minicpm-v-2_6"),
        ("MiniCPM-V 2.6", "minicpm-v-2_6"),
        ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20240620"),
    ],
)
def test_a_model_is_known_by_the_names_of_hubs_providers_and_papers(name: str, known: str) -> None:
    found = known_model(name)
    assert found is not None
    assert found.names[0] == known


@pytest.mark.parametrize("name", ["target", "gpt-4o-audio-preview", "my-gpt-4o", "qwen2-vl", ""])
def test_a_name_that_only_looks_like_a_known_one_is_unknown(name: str) -> None:
    assert known_model(name) is None


def test_another_version_of_a_known_model_has_no_date_and_no_row_in_the_paper() -> None:
    found = known_model("gpt-4o-2024-11-20")
    assert found is not None
    assert (found.family, found.released, found.paper) == ("GPT-4o", None, None)


def test_every_fact_has_a_source_and_the_paper_its_21_targets() -> None:
    assert all(model.source.startswith("https://") for model in known_models())
    assert sum(model.paper is not None for model in known_models()) == 21


def test_facts_of_the_config_come_before_those_of_the_table(
    workplace: Workplace, three_targets: Path
) -> None:
    with closing(StoredRun(three_targets)) as run:
        facts = {row.name: row.facts for row in Leaderboard.of([run]).rows}
    assert facts["Qwen2-VL-7B"].backbone == "Qwen2-7B"
    assert facts["GPT-4o"].size_b is None
    config = workplace.recorded(targets__0__facts=MINE, targets__0__name="Qwen2-VL-7B")
    with closing(RecordReader(_started(workplace, config))) as reader:
        assert reader.meta.facts["Qwen2-VL-7B"].family == "Mine"
    with closing(StoredRun(workplace.path / "runs/first")) as run:
        (row,) = Leaderboard.of([run]).rows
    assert (row.facts.family, row.facts.size_b, row.facts.released) == ("Mine", 7, "2025-03")
    assert row.facts.backbone == "Qwen2-7B"


def _started(workplace: Workplace, config: str) -> Path:
    """Begin a run whose jury is away, so that no verdict comes about."""
    workplace.safejury("run", config, "--set", "limits.outage_patience=0", "--min-coverage", "0")
    return workplace.path / "runs/first"


def test_facts_change_no_identity(workplace: Workplace) -> None:
    plain = identity_of(set_up(load_config(Path(workplace.config())), Path()))
    config = load_config(Path(workplace.config(targets__0__facts=MINE)))
    assert json.dumps(identity_of(set_up(config, Path()))) == json.dumps(plain)


@pytest.mark.parametrize("released", ["2024-08-30", 2024, "2024-08", "'2024-08-30'"])
def test_a_release_is_a_date_or_less_of_it(workplace: Workplace, released: object) -> None:
    name = workplace.config(targets__0__facts={"released": "WHEN"})
    Path(name).write_text(Path(name).read_text().replace("WHEN", str(released)))
    (target,) = load_config(Path(name)).targets
    assert target.facts.released == str(released).strip("'")


@pytest.mark.parametrize("released", ["August 2024", "2024-13", 24, True])
def test_another_word_for_a_release_is_refused(workplace: Workplace, released: object) -> None:
    with pytest.raises(ConfigurationError, match="must be a date, such as 2024-08-30"):
        load_config(Path(workplace.config(targets__0__facts={"released": released})))
