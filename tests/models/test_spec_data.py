"""A model as plain data: it comes back as it was, and no secret is in what was written."""

import json

import pytest

from safejury.common import ConfigurationError
from safejury.models import ModelSpec, Price, RequestOptions, redactor, spec_as_data, spec_from_data

SECRET, TEAM = "key-of-mine-2791", "team-of-mine-2791"
SPEC = ModelSpec(
    "m",
    base_url="http://127.0.0.1:9/v1",
    api_key=SECRET,
    modalities=frozenset({"text"}),
    price=Price(1, 2),
    options=RequestOptions.of({"stop": ["."]}, {"top_k": 3}, ["X-Team"]),
    headers=(("X-Team", TEAM),),
    variables=(("api_key_env", "MY_KEY"), ("X-Team", "MY_TEAM")),
)


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setenv("MY_KEY", SECRET)
    monkeypatch.setenv("MY_TEAM", TEAM)


def test_it_comes_back_as_it_was_with_its_secrets_from_the_environment() -> None:
    written = json.dumps(spec_as_data(SPEC))
    assert SECRET not in written
    assert TEAM not in written
    again = spec_from_data(json.loads(written))
    assert (again, again.variables) == (SPEC, SPEC.variables)


def test_what_it_has_by_default_is_not_written() -> None:
    assert spec_as_data(ModelSpec("openai/m")) == {"model": "openai/m"}


def test_a_secret_that_was_read_is_shown_nowhere_from_then_on() -> None:
    spec_from_data(spec_as_data(SPEC))
    said = redactor.redact(f"rejected {SECRET} of {TEAM}")
    assert (SECRET in said, TEAM in said) == (False, False)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"model": 3}, "the data describe no model: .*model"),
        ({"model": "m"}, "the model 'm' has no base_url"),
        ({"model": "openai/m", "variables": {"api_key_env": "NO_KEY"}}, "NO_KEY holds no key"),
    ],
)
def test_what_describes_no_model_is_refused(data: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        spec_from_data(data)
