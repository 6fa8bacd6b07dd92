"""The stage `card`: the set that a run takes, and what the card says of it."""

import asyncio
import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from made_set import (
    DRAWN,
    HARDWARE,
    MEDICAL,
    SAID,
    SETTINGS,
    TEXTS,
    MadeSet,
    keep_calls,
    made_set,
    plain,
)
from msgspec import structs
from speech_sounds import RecordedProgress

from safejury.common import ConfigurationError, DatasetError
from safejury.datasets import Intent, load_dataset
from safejury.generation import (
    STAGES,
    Calls,
    CardStage,
    PictureSettings,
    SpeechSettings,
    StageContext,
    TaxonomySettings,
    TwinSettings,
    make_stages,
)

pytestmark = pytest.mark.slow


BUNDLED = Path(__file__).parents[2] / "datasets" / "taxonomy" / "taxonomy.yaml"


async def _make(made: MadeSet, path: Path) -> StageContext:
    context = made.put(path)
    await CardStage().make(context)
    return context


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a set with its card, for tests that only read it."""
    path = tmp_path_factory.mktemp("card") / "set"
    context = made_set().put(path)
    keep_calls(path)
    asyncio.run(CardStage().make(context))
    return path


def _card(path: Path) -> dict[str, Any]:
    return json.loads((path / "card.json").read_bytes())


def _distribution(path: Path) -> dict[str, dict[str, Any]]:
    described = json.loads((path / "croissant.json").read_bytes())
    return {file["@id"]: file for file in described["distribution"]}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_stages_are_listed_in_the_order_in_which_they_are_made() -> None:
    names = [stage.name for stage in STAGES]
    assert names == ["taxonomy", "queries", "twins", "pictures", "speech", "card"]


def test_set_has_each_item_once_for_each_voice_that_speaks_it(made: Path) -> None:
    queries = {query.id: query for query in load_dataset(made / "set.jsonl")}
    assert list(queries) == [
        f"{MEDICAL}.0001.en-m3",
        f"{MEDICAL}.0001.en-f3",
        f"{MEDICAL}.0002.en-m3",  # the other voice failed
        f"{HARDWARE}.0001",  # both failed
        f"{MEDICAL}.0001.benign.en-m3",
        f"{MEDICAL}.0001.benign.en-f3",
        f"{HARDWARE}.0001.benign",
    ]
    for name, query in queries.items():
        item = name.removesuffix(".en-m3").removesuffix(".en-f3")
        assert query.text == TEXTS[item]
        assert (query.intent is Intent.BENIGN) == item.endswith(".benign")
        assert (query.audio is not None) == (item != name)
        assert query.source == "hand-made (licence: CC-BY-4.0)"
    pictured = {name for name, query in queries.items() if query.images}
    assert pictured == set(queries) - {f"{MEDICAL}.0002.en-m3", f"{HARDWARE}.0001.benign"}


def test_card_has_the_figures_of_the_items(made: Path) -> None:
    card = _card(made)
    assert card["queries"] == 7
    assert card["modalities"] == {
        "text": 1,
        "text_image": 1,
        "text_audio": 1,
        "text_image_audio": 4,
    }
    assert [one["counts"] for one in card["scenarios"]] == [
        {"harmful": 2, "benign": 1, "pictures": 2, "recordings": 5},
        {"harmful": 1, "benign": 1, "pictures": 1, "recordings": 0},
    ]
    # Shares of 2/3 and 1/3: their entropy is 0.918 bits.
    evenness = pytest.approx(0.9183, abs=1e-4)
    assert card["balance"] == {"wanted": 2, "fewest": 1, "most": 2, "evenness": evenness}
    assert card["twin_harm"] == pytest.approx((1.5 + 4) / 2)


def test_card_has_the_hash_of_what_the_set_holds_and_that_of_its_file(made: Path) -> None:
    content, file = load_dataset(made / "set.jsonl").sha256, _sha256(made / "set.jsonl")
    card, read = _card(made), (made / "card.md").read_text()
    assert (card["set_sha256"], card["set_file_sha256"]) == (content, file)
    assert f"| content hash | `{content}`, of queries and media" in read
    assert f"| SHA-256 of `set.jsonl` | `{file}` |" in read


def test_quality_is_the_mean_of_queries_each_the_mean_of_its_judges(made: Path) -> None:
    consultation, cybersecurity = _card(made)["categories"]
    # Feasibility: 0001 has (8 + 6) / 2, and 0002 has 4 by its only judge.
    ours = {"feasibility": 5.5, "harmfulness": 4.0, "applicability": 6.0}
    assert (consultation["quality"], consultation["scored"]) == (ours, 2)
    assert (cybersecurity["quality"], cybersecurity["scored"]) == (None, 0)
    assert (consultation["judges"], cybersecurity["judges"]) == (1.5, None)
    paper = {"feasibility": 8.5, "harmfulness": 9.2, "applicability": 8.1}
    assert cybersecurity["paper"] == paper
    read = (made / "card.md").read_text()
    assert "| Consultation | 2 | 1.5 | 5.5 | 7.7 | 4.0 | 7.2 | 6.0 | 7.4 |" in read
    assert "| Cybersecurity | 0 | - | - | 8.5 | - | 9.2 | - | 8.1 |" in read


def test_agreement_is_that_of_queries_with_two_judges(made: Path) -> None:
    card = _card(made)
    # Harmfulness (6, 6), (9, 9) and (1, 3): ordinal alpha is 1 - 5 * 1 / 99, by hand.
    assert card["agreement_proposed"]["rated"] == 3
    assert card["agreement_proposed"]["harmfulness"] == pytest.approx(94 / 99)
    # One query: (8, 6) is what chance gives, and (6, 6) tells nothing.
    assert card["agreement_kept"] == {
        "rated": 1,
        "feasibility": pytest.approx(0.0),
        "harmfulness": None,
        "applicability": pytest.approx(0.0),
    }


def test_card_tells_what_was_dropped_and_left_unsaid(made: Path) -> None:
    card = _card(made)
    assert card["funnel"] == {
        "wanted": 4,
        "proposed": 5,
        "revised": 1,
        "duplicate": 1,
        "unscored": 1,
        "passed_over": 1,
        "kept": 3,
        "over_generation": pytest.approx(5 / 3),
        "over_generation_wanted": 3,
    }
    # Counts of a stage that the settings do not ask for are of an earlier config.
    assert card["missing_replies"] == {
        "queries": {"refused": 5, "filtered": 0, "unparsed": 1, "failed": 0},
        # What the describer refused is one reply, though the item is `failed` as well.
        "pictures": {"refused": 3, "filtered": 1, "unparsed": 2, "failed": 0},
    }


def test_card_tells_of_each_judge_what_it_gave_and_why_the_rest_is_missing(made: Path) -> None:
    nothing = {"refused": 0, "filtered": 0, "unparsed": 0, "left_out": 0, "failed": 0}
    assert _card(made)["judges"] == [
        {"stage": "queries", "judge": "judge_a", "asked": 12, "given": 10}
        | (nothing | {"unparsed": 2}),
        {"stage": "queries", "judge": "judge_refused", "asked": 9, "given": 0}
        | (nothing | {"refused": 9}),
    ]
    read = (made / "card.md").read_text()
    assert "| queries | judge_a | 12 | 10 | 0 | 0 | 2 | 0 | 0 |" in read
    assert "| queries | judge_refused | 9 | 0 | 9 | 0 | 0 | 0 | 0 |" in read


def test_card_tells_of_pictures_and_recordings(made: Path) -> None:
    card = _card(made)
    assert card["pictures"] == {
        "items": 5,
        "by_renderer": {"placeholder": 2, "typographic": 1},
        "by_rounds": {"0": 1, "1": 3, "2": 1},
        "filtered": 1,
        "duplicates": 1,
        "missing": 1,
        "fits": 7.0,
        "judged": 2,
        "viewed": 2,
        "nsfw": None,
    }
    male, female = card["voices"]
    assert (male["voice"], male["recordings"], male["missing"]) == ("en+m3", 3, 2)
    assert male["word_error_rate"] == pytest.approx((0.1 + 0.3 + 0.2) / 3)
    assert (female["recordings"], female["seconds"]) == (2, 3.0)


async def test_viewer_without_a_word_is_told_on_the_card(tmp_path: Path) -> None:
    made = made_set()
    made.pictures = [
        structs.replace(
            one,
            rounds=tuple(structs.replace(each, fits=None, unseen="refused") for each in one.rounds),
        )
        for one in made.pictures
    ]
    await _make(made, tmp_path / "set")
    told = _card(tmp_path / "set")["pictures"]
    assert (told["fits"], told["judged"], told["viewed"]) == (None, 0, 3)
    assert "| mean fit, 0 to 10 | -, 0 of 3 judged |" in (tmp_path / "set" / "card.md").read_text()


def test_cost_is_told_by_model_and_unknown_prices_apart(made: Path) -> None:
    unnamed, big = _card(made)["models"]
    assert (unnamed["model"], unnamed["calls"], unnamed["usd"]) == ("", 1, 0.25)
    assert (big["model"], big["calls"], big["usd"]) == ("big", 2, 0.5)
    assert (big["prompt_tokens"], big["unknown_prices"]) == (200, 1)
    read = (made / "card.md").read_text()
    assert "| `big` | 2 | 200 | 40 | $0.50, 1 of unknown price |" in read


def test_only_who_had_something_to_do_took_part(made: Path) -> None:
    roles = [one["role"] for one in _card(made)["roles"]]
    assert roles == ["panel", "panel", "generator"]


def test_nothing_but_the_set_holds_words_of_queries(made: Path) -> None:
    for file in (
        *(made / name for name in ("card.json", "card.md", "croissant.json", "provenance.jsonl")),
        *(made / "charts").iterdir(),
    ):
        content = file.read_bytes()
        for word in (b"Zelda", b"Quentin", b"wafer", b"padlock"):
            assert word not in content, file


def test_all_that_is_written_is_for_its_owner_alone(made: Path) -> None:
    modes = {path: path.stat().st_mode & 0o777 for path in (made).rglob("*")}
    assert {path.name for path in modes} >= {"set.jsonl", "card.md", "funnel.png", "media"}
    for path, mode in modes.items():
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_provenance_tells_of_each_query_of_the_set(made: Path) -> None:
    lines = _lines(made / "provenance.jsonl")
    assert [one["id"] for one in lines] == [query.id for query in load_dataset(made / "set.jsonl")]
    spoken, twin = lines[0], lines[-1]
    assert (spoken["item"], spoken["license"]) == (f"{MEDICAL}.0001", "CC-BY-4.0")
    assert spoken["text"]["model"] == "generator-model"
    assert (spoken["text"]["prompt_sha256"], spoken["text"]["seed"]) == ("a" * 64, 11)
    assert spoken["scores"][1] == {
        "judge": "judge_b",
        "feasibility": 6,
        "harmfulness": 6,
        "applicability": 5,
    }
    assert (spoken["picture"]["renderer"], spoken["picture"]["rounds"]) == ("typographic", 2)
    assert spoken["picture"]["description"]["model"] == "describer-model"
    drawing = spoken["picture"]["drawing"]
    assert (drawing["model"], drawing["seed"]) == ("typographic-model", 14)
    assert (spoken["speech"]["voice"], spoken["speech"]["word_error_rate"]) == ("en+m3", 0.1)
    assert twin["text"]["parents"] == [f"{HARDWARE}.0001"]
    assert (twin["picture"], twin["speech"]) == (None, None)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
async def test_croissant_describes_the_set_wherever_it_is_moved(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await _make(made_set(), tmp_path / "set")
    assert not caplog.records  # what it recommends is in the card
    moved = (tmp_path / "set").rename(tmp_path / "moved")
    assert any("datePublished" in note for note in _card(moved)["croissant_notes"])
    described = import_module("mlcroissant").Dataset(str(moved / "croissant.json"))
    records = [
        {key.removeprefix("queries/"): value and value.decode() for key, value in record.items()}
        for record in described.records("queries")
    ]
    assert records == _lines(moved / "set.jsonl")
    files = _distribution(moved)
    assert list(files) == ["set.jsonl", "provenance.jsonl", "pictures", "recordings"]
    for name in ("set.jsonl", "provenance.jsonl"):
        assert files[name]["sha256"] == _sha256(moved / files[name]["contentUrl"])
    for name, one in (("pictures", DRAWN), ("recordings", SAID)):
        assert list(moved.glob(files[name]["includes"])) == [moved / one]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
async def test_croissant_readers_find_the_pictures(tmp_path: Path) -> None:
    await _make(made_set(), tmp_path / "set")
    path = tmp_path / "set" / "croissant.json"
    described = json.loads(path.read_bytes())
    source = {"fileSet": {"@id": "pictures"}, "extract": {"fileProperty": "filename"}}
    field = {"@type": "cr:Field", "@id": "files/name", "dataType": "sc:Text", "source": source}
    described["recordSet"].append({"@type": "cr:RecordSet", "@id": "files", "field": [field]})
    path.write_text(json.dumps(described))
    records = import_module("mlcroissant").Dataset(str(path)).records("files")
    assert [f"media/{record['files/name'].decode()}" for record in records] == [DRAWN]


async def test_all_stages_end_in_a_set_that_a_run_takes(
    open_context: Callable[..., AbstractAsyncContextManager[StageContext]],
) -> None:
    settings = replace(SETTINGS, twins=TwinSettings(), speech=None)
    async with open_context(settings) as context:
        await make_stages(STAGES, context)
    path = context.folder.path
    queries = list(load_dataset(path / "set.jsonl"))
    intents = Counter((query.scenario, query.intent) for query in queries)
    assert intents == {(name, intent): 2 for name in (MEDICAL, HARDWARE) for intent in Intent}
    assert all(query.images for query in queries)
    card = _card(path)
    assert card["balance"]["evenness"] == 1.0
    assert card["models"][0]["calls"] == sum(one["calls"] for one in card["models"]) > 0
    assert [one["role"] for one in card["roles"][:2]] == ["panel", "panel"]


async def test_same_items_make_the_same_bytes(tmp_path: Path) -> None:
    one = await _make(made_set(), tmp_path / "one")
    other = await _make(made_set(), tmp_path / "other")
    for name in CardStage().outputs(one):
        content = (one.folder.path / name).read_bytes()
        assert content == (other.folder.path / name).read_bytes(), name


async def test_set_of_text_alone_leaves_out_what_an_earlier_config_made(tmp_path: Path) -> None:
    await _make(plain(made_set()), tmp_path / "set")
    queries = list(load_dataset(tmp_path / "set" / "set.jsonl"))
    assert [query.id for query in queries] == [name for name in TEXTS if "benign" not in name]
    assert not any(query.images or query.audio for query in queries)
    assert list(_distribution(tmp_path / "set")) == ["set.jsonl", "provenance.jsonl"]
    card = _card(tmp_path / "set")
    assert (card["pictures"], card["voices"], card["twin_harm"]) == (None, [], None)
    read = (tmp_path / "set" / "card.md").read_text()
    assert "## Speech" not in read
    assert "## Pictures" not in read
    assert "## Cost" not in read


async def test_scenarios_of_a_panel_are_not_compared_with_the_paper(tmp_path: Path) -> None:
    made = made_set()
    made.settings = replace(SETTINGS, taxonomy=TaxonomySettings())
    context = made.put(tmp_path / "set")
    context.folder.write_bytes("taxonomy.yaml", BUNDLED.read_bytes())
    await CardStage().make(context)
    card = _card(tmp_path / "set")
    assert [one["paper"] for one in card["categories"]] == [None, None]
    assert card["missing_replies"]["taxonomy"]["refused"] == 5
    listed = _distribution(tmp_path / "set")["taxonomy.yaml"]
    assert listed["sha256"] == _sha256(BUNDLED)


class _Panel:
    """Stands for a panel that finds the bundled scenarios."""

    name = "taxonomy"

    def outputs(self, context: StageContext) -> Collection[str]:
        return ("taxonomy.yaml",)

    def inputs(self, context: StageContext) -> object:
        return None

    def estimate(self, context: StageContext) -> Sequence[Calls]:
        return ()

    async def make(self, context: StageContext) -> None:
        context.folder.write_bytes("taxonomy.yaml", BUNDLED.read_bytes())


async def test_a_taxonomy_that_was_edited_is_kept_and_told(tmp_path: Path) -> None:
    made = made_set()
    made.settings = replace(SETTINGS, taxonomy=TaxonomySettings())
    context = made.put(tmp_path / "set")
    own = tmp_path / "set" / "taxonomy.yaml"
    await make_stages([_Panel(), CardStage()], context)
    assert _card(tmp_path / "set")["taxonomy"] == "panel's own"
    edited = own.read_bytes() + b"# as I see it\n"
    own.write_bytes(edited)
    await make_stages([_Panel(), CardStage()], context)
    told = context.progress
    assert isinstance(told, RecordedProgress)
    assert told.lines == ["taxonomy: up to date; taxonomy.yaml was edited by hand"]
    assert own.read_bytes() == edited
    assert _card(tmp_path / "set")["taxonomy"] == "panel's own, edited by hand"
    lines = _lines(tmp_path / "set" / "provenance.jsonl")
    assert {one["taxonomy"] for one in lines} == {"panel's own, edited by hand"}


async def test_voices_of_like_names_keep_ids_apart(tmp_path: Path) -> None:
    made = made_set()
    made.settings = replace(SETTINGS, speech=SpeechSettings(voices=("en+m3", "EN m3")))
    made.speech = [
        structs.replace(one, voice="EN m3") if one.voice == "en+f3" else one for one in made.speech
    ]
    await _make(made, tmp_path / "set")
    ids = [query.id for query in load_dataset(tmp_path / "set" / "set.jsonl")]
    assert ids[:2] == [f"{MEDICAL}.0001.en-m3", f"{MEDICAL}.0001.en-m3-2"]


@pytest.mark.parametrize("name", ["pictures", "speech", "twins"])
async def test_files_that_are_not_of_one_making_are_refused(tmp_path: Path, name: str) -> None:
    made = made_set()
    getattr(made, name).reverse()
    with pytest.raises(DatasetError, match=f"{name}.*make the stage {name} again"):
        await _make(made, tmp_path / "set")
    assert not (tmp_path / "set" / "set.jsonl").exists()


@pytest.mark.parametrize(("file", "stage"), [(DRAWN, "pictures"), (SAID, "speech")])
async def test_missing_or_changed_medium_is_told_with_the_stage_that_makes_it(
    tmp_path: Path, file: str, stage: str
) -> None:
    context = made_set().put(tmp_path / "set")
    medium = tmp_path / "set" / file
    medium.write_bytes(medium.read_bytes() + b"changed")
    with pytest.raises(DatasetError, match=rf"{file}.*match its name: .*--again {stage}`"):
        await CardStage().make(context)
    medium.unlink()
    with pytest.raises(DatasetError, match=rf"{file}.*make the stage {stage} again with `--again"):
        await CardStage().make(context)


async def test_set_without_a_query_is_refused(tmp_path: Path) -> None:
    made = made_set()
    made.candidates.clear()
    with pytest.raises(DatasetError, match=r"queries\.jsonl: holds no query"):
        await _make(made, tmp_path / "set")


async def test_taxonomy_of_another_config_is_refused(tmp_path: Path) -> None:
    context = made_set().put(tmp_path / "set")
    context.folder.write_bytes("taxonomy.yaml", BUNDLED.read_bytes())
    with pytest.raises(ConfigurationError, match=r"taxonomy\.yaml is left over from another"):
        await CardStage().make(context)


async def test_card_is_made_once_and_anew_when_its_words_or_cost_change(tmp_path: Path) -> None:
    context = made_set().put(tmp_path / "set")
    for _ in range(2):
        await make_stages([CardStage()], context)
    told = context.progress
    assert isinstance(told, RecordedProgress)
    assert told.lines == ["card: up to date"]
    keep_calls(tmp_path / "set")
    await make_stages([CardStage()], context)
    assert len(_card(tmp_path / "set")["models"]) == 2
    other = replace(context, settings=replace(SETTINGS, purpose="Something else"))
    await make_stages([CardStage()], other)
    assert _card(tmp_path / "set")["purpose"] == "Something else"


def test_no_secret_decides_whether_a_card_is_made_anew(tmp_path: Path) -> None:
    made = made_set()
    made.settings = replace(SETTINGS, pictures=PictureSettings(api_key="sk-hidden"))
    assert "sk-hidden" not in repr(CardStage().inputs(made.put(tmp_path / "set")))
