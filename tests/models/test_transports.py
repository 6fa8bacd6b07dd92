"""Which transport is taken, what it sends, and what it leaves behind."""

import asyncio
import socket
import sys
from typing import Any

import aiohttp
import pytest
from raw_server import ASK, always, model_at, reply, serving

from safejury.common import ConfigurationError
from safejury.models import EndpointModel
from safejury.testing import ScriptedServer

pytestmark = pytest.mark.usefixtures("transport")


async def test_what_is_sent_is_the_same():
    """But for the compression that aiohttp offers."""
    heads: list[bytes] = []
    for transport in ("", "aiohttp"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SAFEJURY_TRANSPORT", transport)
            async with serving(always(reply())) as server:
                place = server.url.replace("//", "//jo:open-sesame@") + "?version=3"
                async with model_at(place, headers={"X-Team": "red ü"}) as model:
                    await model.complete(ASK)
            heads.append(server.visits[0].heads[0])
    lines = [
        {line for line in head.split(b"\r\n") if not line.startswith((b"Host:", b"Accept-Enc"))}
        for head in heads
    ]
    assert lines[0] == lines[1]
    assert b"POST /v1/chat/completions?version=3 HTTP/1.1" in lines[0]
    assert b"Accept-Encoding: identity" in heads[0]
    assert b"gzip" in heads[1]


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a\x7fb", "a\udcffb"])
def test_a_key_or_header_never_begins_another_header(value: str):
    for options in ({"api_key": value}, {"headers": {"X-Team": value}}, {"headers": {value: "x"}}):
        with pytest.raises(ConfigurationError, match="cannot be sent") as caught:
            EndpointModel(base_url="http://127.0.0.1:9/v1", model="m", **options)  # pyright: ignore[reportArgumentType]
        assert "Evil" not in str(caught.value).partition("; ")[0] or "headers" in options
        assert "\n" not in str(caught.value)


async def test_a_header_takes_the_place_of_one_of_the_same_name_in_another_case():
    async with serving(always(reply())) as server:
        given = {"authorization": "Token own", "USER-AGENT": "mine"}
        async with model_at(server.url, api_key="open-sesame", headers=given) as model:
            await model.complete(ASK)
    lines = server.visits[0].heads[0].decode().split("\r\n")
    said = [line for line in lines if line.lower().startswith(("authorization:", "user-agent:"))]
    assert [line.partition(": ")[2] for line in said] == ["Token own", "mine"]


@pytest.mark.parametrize("host", ["a..b", ".near", "a" * 64])
def test_a_host_that_no_name_service_knows_by_its_form_is_no_address(host: str):
    with pytest.raises(ConfigurationError, match="is not an address"):
        EndpointModel(base_url=f"http://{host}:9/v1", model="m")


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_an_address_of_ipv6():
    async with serving(always(reply()), "::1") as server, model_at(server.url) as model:
        assert (await model.complete(ASK)).text == "fine"
    assert b"\r\nHost: [::1]:" in server.visits[0].heads[0]


async def test_a_host_of_several_addresses_is_reached_at_the_one_that_listens():
    """`localhost` is ::1 and 127.0.0.1 on most machines."""
    async with (
        serving(always(reply())) as server,
        model_at(server.url.replace("127.0.0.1", "localhost")) as model,
    ):
        assert (await model.complete(ASK)).text == "fine"


SCRIPT = """
import asyncio, sys
from safejury.models import ChatMessage, ChatRequest, EndpointModel

ASK = ChatRequest((ChatMessage.of("user", "hello"),))
model = EndpointModel(base_url=sys.argv[1], model="m")

async def ask():
    print((await model.complete(ASK)).text)
    if sys.argv[2] == "close":
        await model.aclose()

for _ in range(2):
    asyncio.run(ask())
print(sorted(name for name in ("aiohttp", "httptools") if name in sys.modules))
"""


async def run(url: str, *arguments: str) -> tuple[str, str]:
    """Run the script with warnings as errors; return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-W", "error", "-c", SCRIPT, url, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    return out.decode(), errors.decode()


async def test_a_model_that_is_closed_leaves_no_warning(transport: str):
    async with ScriptedServer("fine") as server:
        out, errors = await run(server.base_url, "close")
    used = "httptools" if transport == "lean" else "aiohttp"
    assert (out, errors) == (f"fine\nfine\n{[used]}\n", "")


async def test_a_model_may_be_used_in_another_event_loop(transport: str):
    if transport == "aiohttp":
        pytest.skip("its session belongs to one event loop")
    async with ScriptedServer("fine") as server:
        out, _ = await run(server.base_url, "leave")
    assert out.startswith("fine\nfine\n")


async def test_a_session_of_the_callers_is_used_for_near_servers_too():
    async with (
        serving(always(reply())) as server,
        aiohttp.ClientSession() as session,
        model_at(server.url, session=session) as model,
    ):
        await model.complete(ASK)
    assert b"gzip" in server.visits[0].heads[0]


async def test_a_name_with_dots_is_judged_by_its_addresses(
    monkeypatch: pytest.MonkeyPatch, transport: str
):
    """Near ones are spoken with leanly; where one is public, aiohttp is taken."""
    loop, port = asyncio.get_running_loop(), 0
    found: list[str] = []

    async def look_up(*_: Any, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for address in found
        ]

    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    for found[:], used in ((["127.0.0.1"], b"identity"), (["127.0.0.1", "1.1.1.1"], b"gzip")):
        async with serving(always(reply())) as server:
            port = int(server.url.rpartition(":")[2].removesuffix("/v1"))
            async with model_at(f"http://models.example:{port}/v1") as model:
                assert (await model.complete(ASK)).text == "fine"
        assert (used if transport == "lean" else b"gzip") in server.visits[0].heads[0]


async def test_servers_behind_one_name_share_the_connections(monkeypatch: pytest.MonkeyPatch):
    loop, places = asyncio.get_running_loop(), ("127.0.0.1", "127.0.0.2")

    async def look_up(*_: Any, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (place, port))
            for place in places
        ]

    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    last = always(reply(extra=b"Connection: close\r\n"))
    async with serving(last, "0.0.0.0") as server:
        port = int(server.url.rpartition(":")[2].removesuffix("/v1"))
        async with model_at(f"http://models.example:{port}/v1") as model:
            for _ in range(6):
                assert (await model.complete(ASK)).text == "fine"
    reached = [visit.writer.get_extra_info("sockname")[0] for visit in server.visits]
    assert {place: reached.count(place) for place in places} == dict.fromkeys(places, 3)


async def test_without_httptools_aiohttp_is_taken(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "httptools"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("_lean", "_pool", "_wire"):
        monkeypatch.delitem(sys.modules, f"safejury.models.endpoint.http.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "httptools", None)
    async with serving(always(reply())) as server, model_at(server.url) as model:
        await model.complete(ASK)
    assert b"gzip" in server.visits[0].heads[0]


def test_a_transport_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAFEJURY_TRANSPORT", "carrier pigeon")
    with pytest.raises(ConfigurationError, match="SAFEJURY_TRANSPORT is 'carrier pigeon'"):
        EndpointModel(base_url="http://127.0.0.1:9/v1", model="m")
