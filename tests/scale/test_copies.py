"""The copy of a run in its directory, against the database that keeps the run."""

from collections.abc import Callable

import pytest
from PIL import Image
from postgres_server import PostgresServer
from workplace import Workplace

from safejury.testing import ScriptedServer

pytestmark = pytest.mark.scale

Start = Callable[..., ScriptedServer]


def test_verify_tells_what_was_changed_in_the_database_past_safejury(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    Image.new("RGB", (20, 20), "red").save(workplace.path / "p.png")
    line = {"id": "q", "scenario": "bias", "text": "?", "intent": "benign", "image": "p.png"}
    workplace.queries(line)
    database = postgres.make_database()
    config = workplace.config(scripted().base_url, run__record=database)
    assert workplace.safejury("run", config).code == 0
    assert workplace.safejury("verify", "runs/first").code == 0
    case, call = "q/examined/0", "q/examined/0/target"
    said = dict[str, str]()
    for statement, what in {
        "UPDATE safejury_entries SET body = body || ' '": f"transcripts ('{case}')",
        "UPDATE safejury_cases SET rating = rating + 0.001": f"results ('{case}')",
        f"DELETE FROM safejury_calls WHERE call_id = '{call}'": f"calls ('{call}')",
        "UPDATE safejury_meta SET value = '9' WHERE key = 'total'": "facts of the run ('total')",
        "UPDATE safejury_media SET content = content || content": "media (",
    }.items():
        postgres.sql(statement, database)
        ended = workplace.safejury("verify", "runs/first")
        assert ended.code == 3
        assert "1 case as recorded, 0 changed." in ended.out  # the copy
        said[what] = ended.out
    assert all(what in out for what, out in said.items()), said
