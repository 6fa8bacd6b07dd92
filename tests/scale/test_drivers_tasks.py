"""What else a run does, on a record that a database keeps: retries, talk audits, pictures."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from PIL import Image
from postgres_server import PostgresServer
from workplace import Workplace

from safejury.testing import ScriptedReply, ScriptedServer, ballot

pytestmark = pytest.mark.scale

Start = Callable[..., ScriptedServer]
Accepted = ("--min-coverage", "0", "--min-panel", "0")


def test_failed_cases_are_retried(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    fails = True

    def reply(body: Mapping[str, Any]) -> str | ScriptedReply:
        if body["model"] == "target":
            return ScriptedReply(status=400) if fails else "An answer."
        return ballot("safe", 5, "Nothing here.")

    config = workplace.config(scripted(reply).base_url, run__record=postgres.make_database())
    workplace.safejury("run", config, *Accepted)
    failed = "SELECT count(*) FROM cases WHERE response_outcome = 'error'"
    assert workplace.stored(failed) == [(3,)]
    fails = False
    ended = workplace.safejury("run", config, "--retry-failed")
    assert ended.code == 0, ended.err
    assert workplace.stored(failed) == [(0,)]
    assert workplace.safejury("verify", "runs/first").code == 0


def test_a_talk_is_audited(postgres: PostgresServer, workplace: Workplace, scripted: Start) -> None:
    def reply(body: Mapping[str, Any]) -> str:
        if body["model"] == "target":
            return "An answer."
        unsafe = body["model"] == "lawyer-model"
        return ballot("unsafe" if unsafe else "safe", 1 if unsafe else 5, "So I find.")

    record = {"run__record": postgres.make_database(), "run__audit_talk": 2}
    config = workplace.config(scripted(reply).base_url, **record)
    ended = workplace.safejury("run", config, *Accepted)
    assert ended.code == 0, ended.err
    audited = "SELECT count(DISTINCT case_id) FROM entries WHERE kind = 'TalkAudited'"
    assert workplace.stored(audited) == [(2,)]
    assert workplace.safejury("verify", "runs/first").code == 0


def test_pictures_come_with_the_copy(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    Image.new("RGB", (20, 20), "red").save(workplace.path / "p.png")
    line = {"id": "q", "scenario": "bias", "text": "?", "intent": "benign", "image": "p.png"}
    workplace.queries(line)
    config = workplace.config(scripted().base_url, run__record=postgres.make_database())
    assert workplace.safejury("run", config).code == 0
    there, pointer = workplace.path / "there", "record.postgres.json"
    there.mkdir()
    (there / pointer).write_bytes((workplace.path / "runs/first" / pointer).read_bytes())
    assert workplace.safejury("verify", "there").code == 0
    assert len(list((there / "media").iterdir())) == 1
