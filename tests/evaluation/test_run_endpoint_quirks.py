"""Endpoints that are not quite OpenAI's: runs succeed, and the record says what was changed."""

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]


def reply(body: dict[str, object]) -> ScriptedReply | str:
    return "An answer." if body["model"] == "target" else ballot("safe", 5)


def test_a_dropped_seed_is_in_the_record_of_every_response(workplace: Any, scripted: Start):
    server = scripted(reply, quirks=["no_seed", "max_completion_tokens"])
    ended = workplace.safejury("run", workplace.config(server.base_url))
    assert ended.code == 0, ended.err
    kept = workplace.responses()
    assert len(kept) == 3
    for response in kept.values():
        assert response["seed"] == 7
        assert response["sent"]["dropped"] == ["seed"]
        assert '"seed"' not in response["sent"]["body"]
        assert "the provider does not take seed; it was left out" in response["notes"]


def test_an_address_without_its_version_is_told_in_the_record(workplace: Any, scripted: Start):
    server = scripted(reply, base_path="/v1")
    address = server.base_url.removesuffix("/v1")
    ended = workplace.safejury("run", workplace.config(address))
    assert ended.code == 0, ended.err
    assert all(
        f"base_url was used with /v1: {server.base_url}" in response["notes"]
        for response in workplace.responses().values()
    )


def test_what_azure_filters_is_an_outcome(workplace: Any, scripted: Start):
    server = scripted(reply, quirks=["azure_filter"])
    workplace.queries(
        {"id": "q1", "scenario": "ethics.bioethics", "text": "Trip the filter.", "intent": "benign"}
    )
    assert workplace.safejury("run", workplace.config(server.base_url)).code in (0, 3)
    assert workplace.report()["targets"][0]["outcomes"]["responses"]["filtered"] == 1


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"ca_file": "missing.pem"}, "ca_file"),
        ({"proxy": "ftp://proxy.example"}, "proxy"),
        ({"ca_file": "a.pem", "verify_tls": False}, "drop one"),
        ({"connect_timeout": 0}, "connect_timeout"),
    ],
)
def test_keys_that_cannot_be_used(keys: dict[str, object], words: str, workplace: Any):
    config = workplace.config(**{f"targets__0__{key}": value for key, value in keys.items()})
    workplace.safejury("run", config).refused(words)


def test_the_way_to_an_address_needs_one(workplace: Any):
    target = {"name": "examined", "model": "openai/gpt-4o", "proxy": "http://proxy.example:3128"}
    workplace.safejury("run", workplace.config(targets=[target])).refused("proxy", "base_url")


def test_a_certificate_is_named_relative_to_the_config(workplace: Any, scripted: Start):
    folder = workplace.path / "made"
    folder.mkdir()
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=t"
    names = "-addext subjectAltName=IP:127.0.0.1 -keyout made/server.key -out made/server.pem"
    subprocess.run(["openssl", *made.split(), *names.split()], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    server = scripted(reply, ssl_context=context)
    keys = {f"jury__jurors__{seat}__ca_file": "server.pem" for seat in range(3)}
    workplace.config(server.base_url, targets__0__ca_file="server.pem", **keys)
    for name in ("safejury.yaml", "queries.jsonl"):
        (workplace.path / name).rename(folder / name)
    ended = workplace.safejury("run", "made/safejury.yaml")
    assert ended.code == 0, ended.err
    assert len(workplace.responses()) == 3


def test_a_proxys_password_is_kept_nowhere(workplace: Any, scripted: Start):
    """The proxy is the scripted server itself, which knows no other host's path."""
    server = scripted(reply)
    proxy = server.base_url.removesuffix("/v1").replace("//", "//jo:open-sesame@")
    config = workplace.config("http://models.example/v1", targets__0__proxy=proxy)
    ended = workplace.safejury("run", config)
    assert ended.code == 2
    written = Path("runs/first/run.yaml").read_text()
    assert f"proxy: {proxy.replace('jo:open-sesame@', '')}" in written
    for path in Path("runs").rglob("*"):
        assert path.is_dir() or b"open-sesame" not in path.read_bytes(), path
    assert "open-sesame" not in ended.err + ended.out
