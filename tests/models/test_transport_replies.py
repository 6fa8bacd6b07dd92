"""What a server may reply, over both transports: what is read, and what is an error."""

import gzip
import zlib

import pytest
from raw_server import (
    ASK,
    CHUNKED,
    FINE,
    Visit,
    always,
    chunk,
    failure,
    model_at,
    reply,
    said,
    serving,
)

from safejury.common import BadReplyError, RequestError, TransportError

pytestmark = pytest.mark.usefixtures("transport")
DEFLATED = zlib.compress(FINE)
READ = {
    "chunks": [CHUNKED, chunk(FINE[:9]), chunk(FINE[9:]), b"0\r\n\r\n"],
    "chunks with extensions": [CHUNKED + b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(FINE), FINE)],
    "chunk sizes with spaces": [CHUNKED + b"%x \r\n%b\r\n0\r\n\r\n" % (len(FINE), FINE)],
    "trailers": [CHUNKED, chunk(), b"0\r\nContent-Type: text/event-stream\r\n\r\n"],
    "byte by byte": [bytes([one]) for one in reply()],
    "gzip": [reply(gzip.compress(FINE), b"Content-Encoding: gzip\r\n")],
    "gzip in two parts": [
        reply(gzip.compress(FINE[:9]) + gzip.compress(FINE[9:]), b"Content-Encoding: gzip\r\n")
    ],
    "gzip in chunks": [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: GZIP\r\nTransfer-Encoding: chunked\r\n\r\n",
        *(chunk(bytes([one])) for one in gzip.compress(FINE)),
        b"0\r\n\r\n",
    ],
    "deflate": [reply(DEFLATED, b"Content-Encoding: deflate\r\n")],
    "bare deflate": [reply(DEFLATED[2:-4], b"Content-Encoding: deflate\r\n")],
    "an encoding that means nothing": [reply(extra=b"Content-Encoding: identity\r\n")],
    "until the connection ends": [b"HTTP/1.1 200 OK\r\n\r\n", FINE],
    "HTTP/1.0": [b"HTTP/1.0 200 OK\r\n\r\n" + FINE],
    "100 Continue": [b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + reply()],
    "103 Early Hints": [b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", reply()],
    "no reason": [reply(status=b"200")],
    "lines that end in LF": [reply().replace(b"\r\n", b"\n")],
    "empty lines first": [b"\r\n\r\n" + reply()],
    "a folded header": [reply(extra=b"X-Folded: one\r\n two\r\n")],
    "bytes in a header": [reply(extra=b"X-Bytes: \xff\xfe\r\n")],
    "another reply after it": [reply() + reply(b"evil")],
}


@pytest.mark.parametrize("way", READ)
async def test_forms_of_a_reply_that_are_read(way: str):
    assert await said(always(*READ[way])) == "fine"


NOT_HTTP = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "a page without a head": b"<html>Welcome</html>",
    "a status that is none": reply(status=b"abc OK"),
    "a status of two digits": reply(status=b"99 OK"),
    "a status of four digits": reply(status=b"1000 OK"),
    "no status": b"HTTP/1.1 \r\n\r\n",
    "a version that is none": reply().replace(b"1.1", b"9.9"),
    "a header without a colon": reply(extra=b"X-One\r\n"),
    "a header name with a space": reply(extra=b"X One: 1\r\n"),
    "a header without a name": reply(extra=b": 1\r\n"),
    "a NUL in a header": reply(extra=b"X-One: a\0b\r\n"),
    "a bare CR in a header": reply(extra=b"X-One: a\rb\r\n"),
    "a head that is too long": reply(extra=b"X-Long: %b\r\n" % (b"a" * 70_000)),
    "two lengths": reply(extra=b"Content-Length: 5\r\n"),
    "a length below zero": reply(size=-5),
    "a length and chunks": reply(extra=b"Transfer-Encoding: chunked\r\n"),
    "more than its length": reply() + b"and more",
    "more than its length, at the end": reply(extra=b"Connection: close\r\n") + b"and more",
    "a body where none may be": reply(b"abc", status=b"204 No Content"),
    "a compression nobody asked for": reply(extra=b"Content-Encoding: br\r\n"),
}


@pytest.mark.parametrize("way", NOT_HTTP)
async def test_what_is_not_http_is_a_bad_reply_for_good(way: str):
    error = await failure(always(NOT_HTTP[way]))
    assert isinstance(error, BadReplyError)
    assert (error.permanent, error.unsent) == (True, False)
    assert "the server does not speak HTTP" in str(error)


@pytest.mark.parametrize("way", ["another protocol", "a length and chunks", "two lengths"])
async def test_what_an_address_ends_with_is_in_no_error(way: str):
    """Some servers take their key there, by any name."""
    async with (
        serving(always(NOT_HTTP[way])) as server,
        model_at(server.url + "?code=open-sesame&v=3") as model,
    ):
        with pytest.raises(BadReplyError) as caught:
            await model.complete(ASK)
    assert b"?code=open-sesame&v=3 " in server.visits[0].heads[0]
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("piece", [b"X: %b" % (b"a" * 9000), b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_head_without_end_is_not_read_for_ever(piece: bytes, transport: str):
    """aiohttp reads 100 Continue until the time is up."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(b"" if piece.startswith(b"HTTP") else b"HTTP/1.1 200 OK\r\n")
        while not visit.writer.is_closing():
            await visit.say(piece)

    error = await failure(behave, timeout=1.0 if transport == "aiohttp" else 60)
    assert isinstance(error, BadReplyError | TransportError)


CUT = {
    "a body shorter than its length": [reply(size=999)],
    "chunks that end early": [CHUNKED, b"8\r\n{"],
    "no last chunk": [CHUNKED, chunk()],
    "no last chunk, and spaces in the head": [CHUNKED.replace(b"ked", b"ked  "), chunk()],
    "no last chunk, of several codings": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n",
        chunk(),
    ],
}


@pytest.mark.parametrize("way", CUT)
async def test_a_reply_that_is_cut_short_may_be_tried_again(way: str):
    error = await failure(always(*CUT[way]))
    assert isinstance(error, TransportError)
    assert (error.permanent, error.unsent) == (False, False)
    assert "the reply was cut short" in str(error)


BROKEN = {
    "nothing": b"",
    "half a status line": b"HTT",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "a promise only": b"HTTP/1.1 100 Continue\r\n\r\n",
}


@pytest.mark.parametrize("way", BROKEN)
async def test_a_connection_that_ends_before_its_reply_may_be_tried_again(way: str):
    error = await failure(always(BROKEN[way]))
    assert isinstance(error, TransportError)
    assert (error.permanent, error.unsent) == (False, False)
    assert "the connection broke" in str(error)


@pytest.mark.parametrize(
    "piece", [b"zz\r\n", b"fffffffffffffffff\r\n", b"-5\r\n", b"1\r\n{{{{", b"0\r\nX Y: 1\r\n\r\n"]
)
async def test_chunks_that_cannot_be_read_are_never_a_reply(piece: bytes):
    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(CHUNKED, chunk(FINE[:-1]), piece)
        await visit.gone()

    error = await failure(behave)
    assert isinstance(error, BadReplyError | TransportError)


async def test_a_compressed_body_without_its_end(transport: str):
    if transport == "aiohttp":
        pytest.skip("aiohttp does not miss the end")
    error = await failure(always(reply(gzip.compress(FINE)[:-4], b"Content-Encoding: gzip\r\n")))
    assert "the reply was cut short" in str(error)


async def test_a_body_that_is_not_compressed_as_it_says():
    error = await failure(always(reply(extra=b"Content-Encoding: gzip\r\n")))
    assert "the reply was cut short" in str(error)


async def test_a_reply_that_unpacks_to_more_than_is_read():
    bomb = gzip.compress(b" " * 30_000_000)
    error = await failure(
        always(reply(bomb, b"Content-Encoding: gzip\r\n")), max_reply_bytes=100_000
    )
    assert isinstance(error, BadReplyError)
    assert "more than 100,000 bytes" in str(error)


async def test_chunks_that_hold_next_to_nothing_end(transport: str):
    """Trailers without end: aiohttp stops at a number of them."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(CHUNKED + chunk() + b"0\r\n")
        while not visit.writer.is_closing():
            await visit.say(b"X-Trailer: 1\r\n" * 100)

    error = await failure(behave, timeout=1.0 if transport == "aiohttp" else 60)
    assert isinstance(error, BadReplyError | TransportError)


@pytest.mark.parametrize(
    ("status", "words"),
    [(b"204 No Content", "sends no reply"), (b"304 Not Modified", "sends no reply")],
)
async def test_a_status_without_a_body(status: bytes, words: str):
    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(b"HTTP/1.1 %b\r\n\r\n" % status)
        await visit.gone()

    error = await failure(behave)
    assert isinstance(error, RequestError)
    assert words in str(error)


async def test_a_switch_of_protocols_is_not_followed():
    switch = b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc"
    assert "(101: no text)" in str(await failure(always(switch)))


async def test_names_of_headers_are_the_same_in_any_case():
    error = await failure(always(reply(b"{}", b"RETRY-AFTER:  7 \r\n", b"429 Slow Down")))
    assert error.retry_after == 7
