"""On some discussed cases jurors vote again without the talk: what did talking do?"""

import json
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import pytest

from safejury.assembly import load_config
from safejury.evaluation import set_up
from safejury.evaluation.plan import identity_of
from safejury.testing import ScriptedReply, ScriptedServer, ballot, remark

Start = Callable[..., ScriptedServer]
SEATS = ("clinician", "security_engineer", "lawyer", "sceptic", "free_expression_advocate")
UNSAFE_FIRST = ("clinician", "security_engineer")


def words_of(body: Mapping[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def arm_of(body: Mapping[str, Any]) -> str:
    """Return what a juror is asked: `first`, `reflection`, or `talk`, real or of another case."""
    words = words_of(body)
    if "\nyours: " not in words:
        return "first"
    return "talk" if "\nanother: " in words else "reflection"


def reply(body: Mapping[str, Any]) -> str:
    """Answer by the request alone: one follows the others, one changes its mind by itself."""
    if body["model"] == "target":
        return "Take some of it."
    seat, words = str(body["model"]).removesuffix("-model"), words_of(body)
    question = re.search(r"Question (q\d+)", words)
    assert question is not None
    unsafe, arm = seat in UNSAFE_FIRST, arm_of(body)
    if seat == "lawyer":
        unsafe = len(re.findall(r"\nanother: unsafe", words)) >= 2
    if seat == "sceptic":
        unsafe = arm != "first"
    return ballot("unsafe" if unsafe else "safe", 2 if unsafe else 4, f"I weighed {question[1]}.")


def config(workplace: Any, url: str, **changes: object) -> str:
    workplace.queries(
        *(
            {"id": f"q{n}", "scenario": "bias", "text": f"Question q{n}?", "intent": "harmful"}
            for n in range(6)
        )
    )
    jurors = [{"persona": seat, "base_url": url, "model": f"{seat}-model"} for seat in SEATS]
    return workplace.config(url, **{"jury__jurors": jurors, **changes})


def audited(workplace: Any, run: str = "runs/first") -> dict[str, dict[str, Any]]:
    """Return the entries of the audit by case and arm."""
    rows = workplace.stored(
        "SELECT case_id, body FROM entries WHERE kind = 'TalkAudited' ORDER BY 1, number", run=run
    )
    found: dict[str, dict[str, Any]] = {}
    for case_id, body in rows:
        said = json.loads(body)
        found.setdefault(case_id, {})[said["arm"]] = said
    return found


def test_the_arms_tell_who_follows_the_others_and_who_changes_by_itself(
    workplace: Any, scripted: Start
) -> None:
    server = scripted(reply)
    ended = workplace.safejury("run", config(workplace, server.base_url), "--audit-talk", "4")
    assert ended.code == 0, ended.err
    found = audited(workplace)
    assert len(found) == 4
    for case_id, arms in found.items():
        assert list(arms) == ["reflection", "placebo"]
        assert arms["placebo"]["donor"] in {f"q{n}/examined/0" for n in range(6)} - {case_id}
        changed = {
            arm: {b["juror"] for b in said["ballots"] if b["finding"] == "unsafe"}
            - set(UNSAFE_FIRST)
            for arm, said in arms.items()
        }
        assert changed == {"reflection": {"sceptic"}, "placebo": {"lawyer", "sceptic"}}
    # The jurors of a placebo read of another case alone, and what they read is fenced.
    for body in server.requests:
        words = words_of(body)
        if arm_of(body) == "talk":
            about = re.search(r"Question (q\d+)", words)
            assert about is not None
            heard = re.findall(r"\nanother: .*?I weighed (q\d+)\.", words)
            assert len(set(heard)) == 1
            assert "<<<BALLOTS" in words
        if arm_of(body) == "reflection":  # nothing says that there are others, or what they found
            assert "other juror" not in words.rpartition("<<<BALLOTS")[2]
            assert "You have voted once. Your ballot:" in words
    asked = Counter(arm_of(body) for body in server.requests if body["model"] != "target")
    assert asked == {"first": 30, "talk": 30 + 20, "reflection": 20}


def test_an_audit_changes_no_verdict_and_no_figure_of_it(workplace: Any, scripted: Start) -> None:
    server = scripted(reply)
    assert workplace.safejury("run", config(workplace, server.base_url)).code == 0
    plain = workplace.report()
    assert "talk_audit" not in plain["run"]["spent"]
    name = config(workplace, server.base_url, run__name="second", run__audit_talk=4)
    assert workplace.safejury("run", name).code == 0
    with_audit = workplace.report("runs/second")
    assert with_audit["targets"] == plain["targets"]
    spent, before = with_audit["run"]["spent"], plain["run"]["spent"]
    assert spent["total"]["replies"] == before["total"]["replies"] + 40
    assert spent["talk_audit"]["replies"] == 40
    assert spent["replaced"]["tokens"] == 0
    tokens = before["total"]["tokens"] + spent["talk_audit"]["tokens"]
    assert spent["total"]["tokens"] == tokens
    ended = workplace.safejury("report", "runs/second")
    assert "for the talk audit" in " ".join(ended.out.split())
    assert workplace.safejury("verify", "runs/second").code == 0


def test_an_audit_is_added_to_a_finished_run_and_a_larger_one_holds_a_smaller(
    workplace: Any, scripted: Start
) -> None:
    server = scripted(reply)
    name = config(workplace, server.base_url)
    assert workplace.safejury("run", name).code == 0
    calls = server.stats.calls
    assert workplace.safejury("run", name, "--audit-talk", "2").code == 0
    assert server.stats.calls == calls + 20
    few = audited(workplace)
    assert workplace.safejury("run", name, "--audit-talk", "4").code == 0
    assert server.stats.calls == calls + 40
    more = audited(workplace)
    assert len(few) == 2
    assert few.items() <= more.items()
    assert workplace.safejury("run", name, "--audit-talk", "4").code == 0
    assert server.stats.calls == calls + 40


def test_a_run_without_an_audit_keeps_its_identity_and_its_record(
    workplace: Any, scripted: Start
) -> None:
    def identity(**changes: object) -> dict[str, Any]:
        path = workplace.path / config(workplace, "http://127.0.0.1:9/v1", **changes)
        return dict(identity_of(set_up(load_config(path), workplace.path)))

    assert "audit" not in json.dumps(identity())
    assert identity(run__audit_talk=3) == identity()
    assert workplace.safejury("run", config(workplace, scripted(reply).base_url)).code == 0
    kinds = {row[0] for row in workplace.stored("SELECT DISTINCT kind FROM entries")}
    assert "TalkAudited" not in kinds


@pytest.mark.slow
@pytest.mark.parametrize("stopped_at", [71, 85])
def test_a_run_killed_in_an_audit_ends_with_the_same_votes_and_pays_once(
    workplace: Any, scripted: Start, stopped_at: int
) -> None:
    held, hung = True, threading.Event()

    def holding(body: Mapping[str, Any]) -> str | ScriptedReply:
        if held and server.stats.calls >= stopped_at:
            hung.set()
            return ScriptedReply(hang=True)
        return reply(body)

    server = scripted(holding)
    name = config(workplace, server.base_url, limits__concurrency=1, run__audit_talk=4)
    with workplace.start("run", name) as process:
        assert hung.wait(60)
        while True:  # what was answered is kept within a quarter of a second
            kept = workplace.stored("SELECT count(*) FROM calls")[0][0]
            if kept >= stopped_at - 1:
                break
            time.sleep(0.05)
        process.kill()
        process.communicate()
    held = False
    before = len(server.requests)
    assert workplace.safejury("run", name).code == 0
    again = {str(body) for body in server.requests[:before]}
    assert sum(str(body) in again for body in server.requests[before:]) <= 1  # the one that hung
    assert workplace.safejury("verify", "runs/first").code == 0

    whole = config(workplace, server.base_url, run__audit_talk=4, run__name="second")
    assert workplace.safejury("run", whole).code == 0

    def votes(run: str) -> dict[str, list[tuple[str, str, list[tuple[str, str]]]]]:
        return {
            case_id: [
                (arm, said["donor"], [(b["juror"], b["finding"]) for b in said["ballots"]])
                for arm, said in arms.items()
            ]
            for case_id, arms in audited(workplace, run).items()
        }

    assert votes("runs/first") == votes("runs/second")


def test_an_audit_that_the_budget_cut_is_finished_by_the_next_command(
    workplace: Any, scripted: Start
) -> None:
    server = scripted(reply)
    name = config(workplace, server.base_url, limits__concurrency=1)
    assert workplace.safejury("run", name).code == 0
    spent = workplace.report()["run"]["spent"]["total"]["tokens"]
    limited = config(
        workplace,
        server.base_url,
        limits__concurrency=1,
        limits__max_tokens_total=spent + 6000,
        run__audit_talk=4,
    )
    cut = workplace.safejury("run", limited)
    assert "of the talk audit not heard" in cut.err + cut.out
    calls, found = server.stats.calls, audited(workplace)
    assert len(found) < 4
    assert not any("budget_stop" in json.dumps(arms) for arms in found.values())
    assert (
        workplace.safejury("run", config(workplace, server.base_url, run__audit_talk=4)).code == 0
    )
    assert server.stats.calls == 60 + 6 + 40
    assert calls < 60 + 6 + 40
    assert len(audited(workplace)) == 4


def test_an_audit_is_shown_and_a_changed_one_is_found(workplace: Any, scripted: Start) -> None:
    server = scripted(reply)
    assert (
        workplace.safejury("run", config(workplace, server.base_url, run__audit_talk=6)).code == 0
    )
    shown = workplace.safejury("show", "runs/first", "q0")
    assert shown.code == 0
    said = " ".join(shown.out.split())
    assert "Talk audit: reflection" in said
    assert "each from its own ballot alone. This counts for nothing." in said
    assert re.search(r"what jurors said of another case, q[1-5]/examined/0\.", said)
    assert said.index("Verdict") < said.index("Talk audit: reflection")
    for suffix in ("md", "html", "svg"):
        file = f"case.{suffix}"
        assert workplace.safejury("show", "runs/first", "q0", "--export", file).code == 0
        text = (workplace.path / file).read_text(encoding="utf-8").replace("&#160;", " ")
        assert "Talk audit: placebo" in text

    with closing(sqlite3.connect("runs/first/record.sqlite")) as record, record:
        record.execute(
            "DELETE FROM entries WHERE kind = 'TalkAudited' AND case_id = 'q0/examined/0' "
            "AND body LIKE '%placebo%'"
        )
    assert workplace.safejury("verify", "runs/first").code == 3


def test_an_audit_of_a_roundtable_puts_another_talk_in_its_place(
    workplace: Any, scripted: Start
) -> None:
    def speaking(body: Mapping[str, Any]) -> str:
        words = words_of(body)
        question = re.search(r"Question (q\d+)", words)
        if body["model"] == "target" or question is None:
            return "Take some of it."
        if ", and it is your turn" in words:
            return remark(f"Mind {question[1]}, says {body['model']}.")
        return reply(body)

    server = scripted(speaking)
    name = config(workplace, server.base_url, jury__protocol="roundtable", run__audit_talk=2)
    ended = workplace.safejury("run", name)
    assert ended.code == 0, ended.err
    donors = {case: arms["placebo"]["donor"] for case, arms in audited(workplace).items()}
    assert len(donors) == 2
    read = Counter[tuple[str, str]]()
    for body in server.requests:
        words = words_of(body)
        about = re.search(r"Question (q\d+)", words)
        talk = words.partition("<<<TALK")[2].partition(">>>")[0]
        of = set(re.findall(r"Mind (q\d+), says", talk))
        if about is not None and of and of != {about[1]}:
            assert len(of) == 1
            read[f"{about[1]}/examined/0", f"{of.pop()}/examined/0"] += 1
            assert f"says {body['model']}" not in talk  # its own words were about the other case
            own = re.search(r"You are (Juror \w)\.", words)
            assert own is not None
            mine = re.search(rf'\n{own[1]}: .*?"I weighed (q\d+)', words)
            assert mine is not None
            assert mine[1] == about[1]
    assert read == {pair: 5 for pair in donors.items()}


def test_an_audit_of_jurors_that_do_not_talk_is_refused(workplace: Any) -> None:
    name = config(workplace, "http://127.0.0.1:9/v1", jury__protocol="vote")
    workplace.safejury("run", name, "--audit-talk", "3").refused("talk: never")


def test_an_audit_of_recorded_responses(workplace: Any, scripted: Start) -> None:
    server = scripted(reply)
    rows = [
        {"id": f"q{n}", "prompt": f"Question q{n}?", "response": "Some of it."} for n in range(4)
    ]
    file, jury = workplace.write_lines(rows), config(workplace, server.base_url)
    ended = workplace.safejury(
        "judge", file, "--config", jury, "--intent", "harmful", "--audit-talk", "2", "--name", "old"
    )
    assert ended.code == 0, ended.err
    assert len(audited(workplace, "runs/old")) == 2


def test_the_plan_counts_the_votes_of_an_audit(workplace: Any) -> None:
    def calls(*options: str) -> tuple[int, int]:
        ended = workplace.safejury("run", config(workplace, "http://127.0.0.1:9/v1"), *options)
        assert ended.code == 0, ended.err
        found = re.search(r"clinician .*?: (\d+)(?:\N{EN DASH}| to |-)(\d+) calls", ended.out)
        assert found is not None, ended.out
        assert ("talk audit: each votes twice more on 4 cases" in ended.out) == (len(options) > 1)
        return int(found[1]), int(found[2])

    least, most = calls("--plan")
    assert calls("--plan", "--audit-talk", "4") == (least, most + 2 * 4)


def test_ballots_of_an_audit_that_were_lost_are_counted_and_asked_for_again(
    workplace: Any, scripted: Start
) -> None:
    """A call that fails in an audit is no vote there, and costs no verdict."""
    down = True

    def failing(body: Mapping[str, Any]) -> str | ScriptedReply:
        lost = down and body["model"] == "lawyer-model" and arm_of(body) == "reflection"
        return ScriptedReply("down", status=400) if lost else reply(body)

    server = scripted(failing)
    name = config(workplace, server.base_url, run__audit_talk=6)
    ended = workplace.safejury("run", name)
    assert ended.code == 0, ended.err
    audit = workplace.report()["talk"]["audit"]["arms"]
    assert (audit["reflection"]["no_vote"], audit["placebo"]["no_vote"]) == (6, 0)
    assert audit["reflection"]["changed"]["n"] == 24
    placebo = {case: arms["placebo"] for case, arms in audited(workplace).items()}
    calls = server.stats.calls
    assert workplace.safejury("run", name).code == 0
    assert server.stats.calls == calls

    down = False
    ended = workplace.safejury("run", name, "--retry-failed")
    assert ended.code == 0, ended.err
    assert server.stats.calls == calls + 6
    audit = workplace.report()["talk"]["audit"]["arms"]
    assert (audit["reflection"]["no_vote"], audit["reflection"]["changed"]["n"]) == (0, 30)
    assert {case: arms["placebo"] for case, arms in audited(workplace).items()} == placebo
    assert workplace.safejury("verify", "runs/first").code == 0


def test_an_audit_asks_no_guard_and_no_juror_that_gave_no_vote(
    workplace: Any, scripted: Start
) -> None:
    def answer(body: Mapping[str, Any]) -> str:
        if body["model"] == "guard":
            return "safe"
        return "No." if body["model"] == "citizen-model" else reply(body)

    server = scripted(answer)
    url = server.base_url
    jurors = [
        *({"persona": seat, "base_url": url, "model": f"{seat}-model"} for seat in SEATS),
        {"persona": "citizen", "base_url": url, "model": "citizen-model"},
        {"guard": "llama-guard-3", "base_url": url, "model": "guard"},
    ]
    name = config(workplace, url, jury__jurors=jurors, run__audit_talk=3)
    ended = workplace.safejury("run", name)
    assert len(audited(workplace)) == 3, ended.err
    for arms in audited(workplace).values():
        for said in arms.values():
            assert [one["juror"] for one in said["ballots"]] == list(SEATS)
    # Jurors of a placebo read what the guard of the other case says as well.
    assert any(
        arm_of(body) == "talk" and "safe, by a safety classifier" in words_of(body)
        for body in server.requests
    )


def test_an_outage_in_an_audit_ends_it_and_the_next_command_goes_on(
    workplace: Any, scripted: Start
) -> None:
    down = False

    def failing(body: Mapping[str, Any]) -> str | ScriptedReply:
        return ScriptedReply("down", status=503) if down else reply(body)

    server = scripted(failing)
    name = config(workplace, server.base_url, limits__outage_patience=0)
    assert workplace.safejury("run", name).code == 0
    down = True
    ended = workplace.safejury("run", name, "--audit-talk", "4")
    assert ended.code == 3, ended.err
    assert audited(workplace) == {}
    down = False
    assert workplace.safejury("run", name, "--audit-talk", "4").code == 0
    assert len(audited(workplace)) == 4
    assert workplace.safejury("verify", "runs/first").code == 0
