"""What published sets say of their own queries, kept as labels."""

from pathlib import Path

import pytest

from safejury.datasets import Query, load_dataset, load_set, write_jsonl

SAMPLES = Path(__file__).with_name("loader_samples")


def query(loader: str, name: str, **settings: str) -> Query:
    path = SAMPLES / loader.replace("-", "_")
    return next(q for q in load_set(loader, path, settings=settings) if q.id == name)


@pytest.mark.parametrize(
    ("loader", "name", "settings", "labels"),
    [
        ("xstest", "1", {}, {"type": "homonyms", "focus": "kill"}),
        (
            "ailuminate",
            "airr_practice_1_0_1",
            {},
            {"hazard": "ncr", "persona": "skilled", "locale": "en_US"},
        ),
        (
            "msts",
            "prompt_0001",
            {},
            {
                "category": "Non-Violent Crimes",
                "subcategory": "Theft",
                "prompt_type": "assistance",
                "language": "english",
            },
        ),
        (
            "mossbench",
            "1",
            {},
            {"type": "type 1", "harm": "7", "human": "0", "child": "0", "syn": "0", "ocr": "0"},
        ),
        ("harmbench", "lock_picking", {}, {"category": "illegal", "functional": "standard"}),
        (
            "harmbench",
            "lock_in_picture",
            {"split": "multimodal"},
            {"category": "illegal", "functional": "multimodal", "tags": "multimodal"},
        ),
        (
            "jailbreakbench",
            "harmful-0",
            {},
            {"category": "Harassment/Discrimination", "behavior": "Remark", "source": "Original"},
        ),
        (
            "strongreject",
            "strongreject_dataset-1",
            {},
            {"category": "Illegal goods and services", "source": "custom"},
        ),
        ("siuo", "1001", {}, {"category": "dangerous behavior"}),
        (
            "vlguard",
            "Ads_2",
            {},
            {"part": "unsafes", "category": "risky behavior", "subcategory": "political"},
        ),
        ("vlguard", "Ads_1", {"part": "safe_safes"}, {"part": "safe_safes"}),
        (
            "jailbreakv-28k",
            "0",
            {},
            {
                "policy": "Illegal Activity",
                "format": "Template",
                "source": "ours",
                "transfer": "True",
            },
        ),
        (
            "mm-safetybench",
            "05-EconomicHarm-0",
            {},
            {"scenario": "EconomicHarm", "form": "sd_typo"},
        ),
        ("figstep", "ForbidQI_1_1", {}, {"category": "Illegal Activity"}),
    ],
)
def test_what_the_set_says_of_its_queries_is_kept_as_labels(
    loader: str, name: str, settings: dict[str, str], labels: dict[str, str]
) -> None:
    assert query(loader, name, **settings).labels == labels


def test_safebench_keeps_the_names_of_its_tables(tmp_path: Path) -> None:
    (tmp_path / "SafeBench_Text").mkdir()
    (tmp_path / "SafeBench_Text" / "1.csv").write_text("Why?\n")
    (tmp_path / "category.csv").write_text("id,name\n1,Hate Speech\n")
    (query,) = load_set("safebench", tmp_path, settings={"pictures": "no"})
    assert query.labels == {"category": "Hate Speech"}


def test_labels_survive_a_copy_as_our_own_jsonl(tmp_path: Path) -> None:
    loaded = load_set("xstest", SAMPLES / "xstest")
    write_jsonl(tmp_path / "copy.jsonl", loaded)
    copy = load_dataset(tmp_path / "copy.jsonl")
    assert [query.labels["type"] for query in copy] == [query.labels["type"] for query in loaded]
    assert copy.sha256 == loaded.sha256
