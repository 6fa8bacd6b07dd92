"""How an endpoint is reached: paths, certificates, proxies and time-outs."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from safejury.common import ConfigurationError, ModelError, RequestError, TransportError
from safejury.models import ChatMessage, ChatRequest, Completion, EndpointModel
from safejury.testing import ScriptedReply, ScriptedServer

pytestmark = pytest.mark.usefixtures("transport")

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ASK = ChatRequest((ChatMessage.of("user", "hello"),))
CERTIFICATE = """
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2
-subj /CN=test -addext subjectAltName={} -keyout {} -out {}
"""


def certificate(folder: Path, names: str = "IP:127.0.0.1,DNS:localhost") -> tuple[Path, Path]:
    """Make a self-signed certificate; return it and its key."""
    made, key = folder / "server.pem", folder / "server.key"
    command = CERTIFICATE.format(names, key, made).split()
    subprocess.run(command, check=True, capture_output=True)
    return made, key


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate, and a server's context that shows it."""

    ca_file: str
    context: ssl.SSLContext


def tls(folder: Path, names: str = "IP:127.0.0.1,DNS:localhost") -> Tls:
    made, key = certificate(folder, names)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    return Tls(str(made), context)


async def ask(base_url: str, times: int = 1, **options: Any) -> list[Completion]:
    model = EndpointModel(base_url=base_url, model="m", **options)
    try:
        return [await model.complete(ASK) for _ in range(times)]
    finally:
        await model.aclose()


async def failure(base_url: str, **options: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(base_url, **options)
    assert "\n" not in str(caught.value)
    return caught.value


@asynccontextmanager
async def listening(handler: Handler) -> AsyncGenerator[str]:
    """Serve each connection with `handler`, and let all of them end; yield `host:port`."""
    served: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.Event()
        served.append(ended)
        try:
            await handler(reader, writer)
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
        finally:
            ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for ended in served:
            await ended.wait()


@dataclass(slots=True)
class HttpProxy:
    """A proxy that tunnels, and relays plain requests, or answers with `refusal`."""

    refusal: str
    url: str = ""
    heads: list[str] = field(default_factory=list[str])

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode())
        if self.refusal:
            writer.write(f"HTTP/1.1 {self.refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        method, target = head.decode().split()[:2]
        place, _, path = target.removeprefix("http://").partition("/")
        host, _, port = place.partition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            far_writer.write(head.replace(target.encode(), f"/{path}".encode(), 1))
        async with asyncio.TaskGroup() as group:
            group.create_task(copy(reader, far_writer))
            group.create_task(copy(far_reader, writer))


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def proxying(refusal: str = "") -> AsyncGenerator[HttpProxy]:
    proxy = HttpProxy(refusal)
    async with listening(proxy.relay) as place:
        proxy.url = f"http://{place}"
        yield proxy


async def test_an_address_without_its_version_is_tried_with_it_and_said():
    async with ScriptedServer("fine", base_path="/v1") as server:
        address = server.base_url.removesuffix("/v1")
        first, second = await ask(address, times=2)
    note = (f"base_url was used with /v1: {server.base_url}",)
    assert (first.text, first.notes, second.notes) == ("fine", note, note)
    assert server.stats.calls == 2


async def test_a_page_in_place_of_the_api_is_the_wrong_path_too():
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = b"<html>Welcome</html>"
        if head.startswith(b"POST /v1/"):
            body = b'{"choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]}'
        length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        writer.write(b"HTTP/1.1 200 OK\r\n" + length + body)

    async with listening(page) as place:
        (answer,) = await ask(f"http://{place}")
    assert answer.text == "fine"
    assert answer.notes == (f"base_url was used with /v1: http://{place}/v1",)


async def test_many_first_calls_at_a_time_all_find_the_version():
    async with ScriptedServer("fine", base_path="/v1", latency=0.01) as server:
        model = EndpointModel(base_url=server.base_url.removesuffix("/v1"), model="m")
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(model.complete(ASK)) for _ in range(20)]
        await model.aclose()
    assert {call.result().text for call in calls} == {"fine"}


async def test_an_address_that_works_as_it_is_is_left_alone():
    async with ScriptedServer("fine", base_path="/v1beta/openai") as server:
        (answer,) = await ask(server.base_url)
    assert (answer.notes, server.stats.calls) == ((), 1)


async def test_where_no_path_works_the_first_error_is_told():
    async with ScriptedServer("fine", base_path="/elsewhere") as server:
        error = await failure(server.base_url.replace("elsewhere", "api"))
    assert isinstance(error, RequestError)
    assert "no such path: /api/chat/completions" in str(error)


async def test_what_the_api_says_at_the_right_path_is_told():
    async with ScriptedServer("fine", base_path="/v1", api_key="the-right-key") as server:
        error = await failure(server.base_url.removesuffix("/v1"))
    assert "a key is needed" in str(error)


async def test_a_path_that_once_worked_is_not_doubted():
    replies = ["fine", ScriptedReply("gone", status=404)]
    async with ScriptedServer(replies) as server:
        with pytest.raises(RequestError, match="gone"):
            await ask(server.base_url.removesuffix("/v1"), times=2)
    assert server.stats.calls == 2


async def test_a_self_signed_certificate_is_an_error_that_names_the_keys(tmp_path: Path):
    async with ScriptedServer("fine", ssl_context=tls(tmp_path).context) as server:
        error = await failure(server.base_url)
    assert isinstance(error, TransportError)
    assert error.permanent
    for words in ("not trusted", "self", "ca_file", "verify_tls: false"):
        assert words in str(error)
    assert server.stats.calls == 0


async def test_a_certificate_named_as_ca_file_is_trusted(tmp_path: Path):
    made = tls(tmp_path)
    async with ScriptedServer("fine", ssl_context=made.context) as server:
        (answer,) = await ask(server.base_url, ca_file=made.ca_file)
    assert (answer.text, server.base_url.partition(":")[0]) == ("fine", "https")


async def test_a_trusted_certificate_of_another_host_is_refused(tmp_path: Path):
    made = tls(tmp_path, "DNS:other.example")
    async with ScriptedServer("fine", ssl_context=made.context) as server:
        error = await failure(server.base_url, ca_file=made.ca_file)
    assert "base_url must use the host name in the certificate" in str(error)


async def test_certificates_are_not_checked_where_that_is_asked_for(tmp_path: Path):
    made = tls(tmp_path, "DNS:other.example")
    async with ScriptedServer("fine", ssl_context=made.context) as server:
        (answer,) = await ask(server.base_url, verify_tls=False)
    assert answer.text == "fine"


async def test_plain_http_to_a_server_with_tls():
    """The server's words are those of servers that notice."""
    words = "Client sent an HTTP request to an HTTPS server."
    async with ScriptedServer(ScriptedReply(raw_body=words, status=400)) as server:
        error = await failure(server.base_url)
    assert "base_url should begin with https://" in str(error)
    assert error.permanent


async def test_tls_to_a_server_without_it():
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with listening(plain) as place:
        error = await failure(f"https://{place}/v1")
    assert "base_url should begin with http://" in str(error)
    assert error.permanent


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), ("not a certificate", "PEM")]
)
def test_a_ca_file_that_is_none(tmp_path: Path, content: str | None, words: str):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=words):
        EndpointModel(base_url="https://h/v1", model="m", ca_file=str(path))


async def test_a_plain_call_goes_through_the_proxy():
    async with ScriptedServer("fine") as server, proxying() as proxy:
        (answer,) = await ask(server.base_url, proxy=proxy.url)
    assert answer.text == "fine"
    assert proxy.heads[0].startswith(f"POST {server.base_url}/chat/completions")


async def test_a_call_over_tls_is_tunnelled(tmp_path: Path):
    made = tls(tmp_path)
    async with ScriptedServer("fine", ssl_context=made.context) as server, proxying() as proxy:
        address = proxy.url.replace("//", "//jo:open-sesame@")
        (answer,) = await ask(
            server.base_url, proxy=address, ca_file=made.ca_file, api_key="a-secret-key"
        )
    assert answer.text == "fine"
    assert proxy.heads[0].startswith("CONNECT 127.0.0.1:")
    assert "Proxy-Authorization: Basic am86b3Blbi1zZXNhbWU=" in proxy.heads[0]
    assert "a-secret-key" not in proxy.heads[0]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_password(scheme: str):
    async with proxying("407 Proxy Authentication Required") as proxy:
        address = proxy.url.replace("//", "//jo:open-sesame@")
        error = await failure(f"{scheme}://127.0.0.1:9/v1", proxy=address)
    assert isinstance(error, RequestError)
    assert error.permanent
    assert "needs a user and password" in str(error)
    assert "open-sesame" not in str(error)


async def test_a_proxy_that_cannot_reach_the_endpoint():
    async with proxying("502 Bad Gateway") as proxy:
        error = await failure("https://h.invalid/v1", proxy=proxy.url)
    assert isinstance(error, TransportError)
    assert f"the proxy {proxy.url} that `proxy` names cannot reach base_url" in str(error)


async def test_a_proxy_where_nothing_listens():
    async with proxying() as proxy:
        pass
    error = await failure("http://h.invalid/v1", proxy=proxy.url.replace("//", "//jo:sesame-12@"))
    assert (
        f"cannot connect to the proxy {proxy.url} that `proxy` names (Connection refused)"
        in str(error)
    )
    assert "sesame-12" not in str(error)
    assert error.permanent


def test_a_proxy_that_is_no_address_shows_no_password():
    with pytest.raises(ConfigurationError, match="proxy") as caught:
        EndpointModel(base_url="http://h/v1", model="m", proxy="socks5://jo:open-sesame@h:1")
    assert "open-sesame" not in str(caught.value)


async def test_the_environments_proxy_is_taken_for_public_addresses_alone(
    monkeypatch: pytest.MonkeyPatch,
):
    async with ScriptedServer("fine") as server, proxying("403 Forbidden") as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        (answer,) = await ask(server.base_url)
        assert (answer.text, proxy.heads) == ("fine", [])
        await failure("http://models.example/v1")
        assert proxy.heads[0].startswith("POST http://models.example/v1")
        monkeypatch.setenv("NO_PROXY", "models.example")
        monkeypatch.setenv("no_proxy", "models.example")
        await failure("http://models.example/v1", connect_timeout=0.5)
    assert len(proxy.heads) == 1


async def test_a_connection_that_does_not_come_about_names_its_own_key():
    """The server accepts and never says a word of TLS."""

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(silent) as place:
        error = await failure(f"https://{place}/v1", connect_timeout=0.2)
    assert isinstance(error, TransportError)
    assert "no connection within 0.2 s" in str(error)
    assert "raise connect_timeout" in str(error)


async def test_a_server_that_is_slow_to_speak_is_waited_for():
    """The time to connect does not bound the time to the first byte."""
    async with ScriptedServer("fine", latency=0.4) as server:
        (answer,) = await ask(server.base_url, connect_timeout=0.2)
        error = await failure(server.base_url, timeout=0.2)
    assert answer.text == "fine"
    assert "no reply within 0.2 s; raise the timeout" in str(error)
