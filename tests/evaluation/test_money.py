"""A limit of money binds or is refused before the first call, and what to expect is told."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, object]
PRICED = {f"jury__jurors__{seat}__price": {"input": 3.0, "output": 15.0} for seat in range(3)}
WAYS_OUT = ("limits.max_cost_usd does not bind target: the price is unknown", "`price: 0`")


def speaking(body: Body) -> ScriptedReply:
    text = "An answer." if body["model"] == "target" else ballot("safe", 5)
    return ScriptedReply(text, usage={"prompt_tokens": 100, "completion_tokens": 10})


@pytest.mark.parametrize("command", ["run", "plan", "doctor"])
def test_a_limit_of_money_beside_an_unknown_price_is_refused(
    command: str, workplace: Any, scripted: Start
):
    server = scripted(speaking)
    config = workplace.config(server.base_url, limits__max_cost_usd=0.000001, **PRICED)
    if command == "doctor":
        ended = workplace.safejury("doctor", config)
        assert ended.code == 2
        assert WAYS_OUT[0] in " ".join(ended.out.split())
        return
    ended = workplace.safejury("run", config, *(["--plan"] if command == "plan" else []))
    ended.refused(*WAYS_OUT, "limits.unpriced: allow")
    assert server.stats.calls == 0


def test_what_a_limit_of_money_does_not_bind_is_told_where_that_is_allowed(
    workplace: Any, scripted: Start
):
    config = workplace.config(
        scripted(speaking).base_url,
        limits__max_cost_usd=5.0,
        limits__unpriced="allow",
        **PRICED,
    )
    said = "limits.max_cost_usd does not bind target, whose price is unknown"
    assert said in workplace.safejury("run", config, "--plan").out
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert said in " ".join(ended.err.split())
    assert said in " ".join(ended.out.split())
    assert said in workplace.safejury("report", "runs/first", "--format", "md").out
    assert said in " ".join(workplace.report()["run"]["notes"])


def test_a_price_of_0_is_a_price(workplace: Any, scripted: Start):
    config = workplace.config(
        scripted(speaking).base_url, limits__max_cost_usd=5.0, targets__0__price=0, **PRICED
    )
    assert workplace.safejury("run", config).code == 0
    (target,) = workplace.report()["targets"]
    # Nine ballots of 100 and 10 tokens at 3 and 15 dollars a million.
    assert target["cost_usd"] == pytest.approx(9 * 450e-6)


def test_the_plan_says_what_to_expect(workplace: Any, scripted: Start):
    """Three cases: one answer and one or two ballots of each juror; a run takes what it said."""
    server = scripted(speaking)
    config = workplace.config(server.base_url, limits__max_tokens_total=10_000, **PRICED)
    out = workplace.safejury("run", config, "--plan").out
    target = re.search(r"target examined \(target\): 3 calls, .* tokens, price unknown", out)
    assert target is not None
    assert re.search(r"clinician \(clinician-model\): 3 to 6 calls, .* tokens, \$\S+ to \$", out)
    together = re.search(
        r"together: 12 to 21 calls, ([\d,]+) to ([\d,]+) tokens, \$([\d.]+) to \$([\d.]+)"
        r" plus models of unknown price",
        out,
    )
    assert together is not None
    assert "limits.max_tokens_total of 10,000 tokens may stop the run before its end" in out
    assert server.stats.calls == 0
    doctor = " ".join(workplace.safejury("doctor", config).out.split())
    assert "together: 12 to 21 calls" in doctor


def test_what_was_expected_holds_what_is_sent(workplace: Any, scripted: Start):
    """The scripted server counts a token for four characters."""
    text = "Once more, this time with feeling. " * 20

    def reply(body: Body) -> str:
        return text if body["model"] == "target" else ballot("safe", 5)

    server = scripted(reply)
    config = workplace.config(server.base_url, run__max_tokens=400)
    out = workplace.safejury("run", config, "--plan").out
    together = re.search(r"together: .* calls, ([\d,]+) to ([\d,]+) tokens", out)
    assert together is not None
    least, most = (int(number.replace(",", "")) for number in together.groups())
    assert workplace.safejury("run", config).code == 0
    known = workplace.report()["targets"][0]["tokens"]["known"]
    assert least <= known["prompt"] + known["completion"] <= most


@pytest.mark.slow
def test_the_plan_sees_a_missing_key_of_a_provider(workplace: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    juror = {"persona": "lawyer", "model": "anthropic/claude-sonnet-4-5"}
    config = workplace.config(jury__jurors__1=juror)
    said = "anthropic/claude-sonnet-4-5: no key was found; set the environment variable"
    workplace.safejury("run", config, "--plan").refused(said, "ANTHROPIC_API_KEY")


def test_deliberate_ends_with_the_budget_and_without_a_verdict(workplace: Any, scripted: Start):
    used = {"prompt_tokens": 1_000, "completion_tokens": 100}
    server = scripted(ScriptedReply(ballot("safe", 5), usage=used))
    ask = ("deliberate", "--question", "How?", "--response", "So.", "--config")
    for cap, calls in ((1, 0), (3_000, 2)):
        config = workplace.config(
            server.base_url, limits__max_tokens_total=cap, limits__concurrency=1
        )
        before = server.stats.calls
        ended = workplace.safejury(*ask, config)
        ended.refused("the case has no verdict: limits.max_tokens_total of", code=3)
        assert server.stats.calls - before == calls
        assert "Verdict" not in ended.out
    config = workplace.config(server.base_url, limits__max_tokens_total=100_000)
    assert workplace.safejury(*ask, config).code == 0


def test_deliberate_refuses_a_limit_of_money_that_does_not_bind(workplace: Any, scripted: Start):
    server = scripted(speaking)
    config = workplace.config(server.base_url, limits__max_cost_usd=1.0)
    ask = ("deliberate", "--question", "How?", "--response", "So.", "--config", config)
    workplace.safejury(*ask).refused("limits.max_cost_usd does not bind clinician-model")
    assert server.stats.calls == 0


def test_deliberate_makes_pictures_fit_as_a_run_does(workplace: Any, scripted: Start):
    Image.new("RGB", (64, 64), "navy").save(workplace.path / "p.png")
    server = scripted(speaking)
    config = workplace.config(
        server.base_url,
        targets__0__max_image_side=32,
        **{f"jury__jurors__{seat}__max_image_side": 16 for seat in range(3)},
    )
    ended = workplace.safejury(
        *("deliberate", "--question", "What is this?", "--image", "p.png"),
        *("--target", "examined", "--config", config),
    )
    assert ended.code == 0, ended.err
    sides = {str(body["model"]): _sides(body) for body in server.requests}
    assert sides.pop("target") == [32]
    assert list(sides.values()) == [[16]] * 3


def _sides(body: Body) -> list[int]:
    """Return the longer sides of a request's pictures, in pixels."""
    urls = re.findall(r"data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)", json.dumps(body))
    return [max(Image.open(BytesIO(base64.b64decode(url))).size) for url in urls]
