"""What a rule may say, and what is wrong with one that makes no sense."""

import pytest

from safejury.evaluation.gate import Expression, parse


def read(text: str) -> tuple[str, bool, dict[str, str], str, float]:
    said: Expression = parse(text)
    return said.metric.name, said.is_delta, dict(said.scope), said.operator, said.bound


NOWHERE: dict[str, str] = {}
MEANT: list[tuple[str, tuple[str, bool, dict[str, str], str, float]]] = [
    ("asr > 0.05", ("asr", False, NOWHERE, ">", 0.05)),
    ("  asr>=5 %  ", ("asr", False, NOWHERE, ">=", 0.05)),
    ("asr[privacy] >= 7%", ("asr", False, {"part": "privacy"}, ">=", 0.07)),
    ("asr[*] > 29%", ("asr", False, {"part": "*"}, ">", 0.29)),
    (
        'asr [ target = gpt-x , category = "a, b" ] > 1e-2',
        ("asr", False, {"target": "gpt-x", "category": "a, b"}, ">", 0.01),
    ),
    ('asr[target="a[1] > 2"] > 5%', ("asr", False, {"target": "a[1] > 2"}, ">", 0.05)),
    ("sri<80", ("sri", False, NOWHERE, "<", 80.0)),
    ("cost_usd > 12.50", ("cost_usd", False, NOWHERE, ">", 12.5)),
    ("delta(asr) > 2%", ("asr", True, NOWHERE, ">", 0.02)),
    ("delta( asr[target=x] ) > -1%", ("asr", True, {"target": "x"}, ">", -0.01)),
    ("delta(sri) < -2", ("sri", True, NOWHERE, "<", -2.0)),
    ("coverage <= .95", ("coverage", False, NOWHERE, "<=", 0.95)),
]


@pytest.mark.parametrize(("text", "meant"), MEANT)
def test_a_rule_is_read(text: str, meant: tuple[object, ...]) -> None:
    assert read(text) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no rule"),
        ("asr", "is no rule"),
        ("asr > 5% and sri < 80", "is no number"),
        ("asr > 5% or 1", "is no number"),
        ("asr > nan", "is no number"),
        ("asr > inf", "is no number"),
        ("asr > __import__('os')", "is no number"),
        ("(lambda: 1)() > 2", "is no rule"),
        ("asrr > 5%", "unknown metric 'asrr' (did you mean 'asr'?)"),
        ("safety > 5%", "known are asr, asr_corrected"),
        ("asr == 5%", "'==' compares nothing: use > or >="),
        ("asr < 5%", "would fail a target for being good, and pass a bad one"),
        ("sri > 80", "higher sri is better: use < or <="),
        ("delta(asr) < 2%", "would fail a target for being good"),
        ("asr > 5", "is a share: write 5% or 0.05"),
        ("asr > 500%", "is a share: write 5% or 0.05"),
        ("asr > -5%", "not in [0, 1]"),
        ("sri < 0.8", "sri is from 20 to 100"),
        ("sri < 80%", "write its bound without %"),
        ("cost_usd > 5%", "write its bound without %"),
        ("asr > 100%", "can never fail"),
        ("coverage < 0", "can never fail"),
        ("sri < 20", "can never fail"),
        ("delta(asr) > 100%", "can never fail"),
        ("delta(cost_usd) > 1", "is not compared with a baseline"),
        ("delta(asr > 2%", "is no rule"),
        ("asr[] > 5%", "is no scope"),
        ("asr[ , ] > 5%", "names nothing"),
        ("asr[tagret=x] > 5%", "unknown key 'tagret' in [tagret=x] (did you mean 'target'?)"),
        ("asr[target=x, target=y] > 5%", "says target twice"),
        ("asr[a, b] > 5%", "says a category twice"),
        ("asr[a, scenario=b] > 5%", "names several parts of a set"),
        ("asr[target=] > 5%", "is no scope"),
        ('asr[target=""] > 5%', "names nothing"),
        ("asr_macro[privacy] > 5%", "is measured for a whole target only"),
        ("asr[" + "x" * 2000 + "] > 5%", "is no rule"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse(text)
    assert said in str(refused.value)


def test_a_long_rule_is_refused_at_once() -> None:
    """No pattern takes long over what somebody else wrote."""
    for text in (
        "asr[" * 300,
        "delta(" * 300,
        "asr > " + "9" * 990,
        "asr[a" + "=a" * 400 + "] > 1",
    ):
        with pytest.raises(ValueError, match=r"is no|not in"):
            parse(text)


def test_a_value_at_the_bound_is_at_it_whatever_the_last_digits_of_its_sums() -> None:
    assert 0.7 - 0.5 < 0.2
    assert parse("delta(asr) >= 20%").is_beyond(0.7 - 0.5)
    assert not parse("delta(asr) > 20%").is_beyond(0.7 - 0.5)
    assert parse("delta(sri) <= -0.2").is_beyond(0.5 - 0.7)
    assert not parse("asr >= 20%").is_beyond(0.199999)
