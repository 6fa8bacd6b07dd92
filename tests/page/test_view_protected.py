"""`safejury view` lets in whoever has the address, and nobody else."""

import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from viewing import Reply, Viewed, viewing
from workplace import Workplace

WRONG = (
    "/",
    "/index.html",
    "/favicon.ico",
    "/data/overview.js",
    "//",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/../../etc/passwd",
    f"/{'x' * 43}/",
    f"/{'x' * 43}/data/overview.js",
    "/%C3%A9%E2%80%AE/",
    f"/{'a' * 4000}/",
)


@pytest.fixture(scope="module")
def view(whole_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewed]:
    place = Workplace(tmp_path_factory.mktemp("view"))
    with viewing(place, whole_run) as served:
        yield served


def _data(reply: Reply, name: str) -> dict[str, Any]:
    assert reply.status == 200
    said = reply.body.decode()
    assert said.startswith(f'safejury.piece("{name}", ')
    return json.loads(said[said.index("{") : said.rindex("}") + 1])


def _medium(run: Path, begins: bytes) -> Path:
    kept = run.joinpath("media").iterdir()
    return next(path for path in kept if path.read_bytes().startswith(begins))


def test_the_page_and_its_pieces_are_served(view: Viewed) -> None:
    page = view.get("")
    assert b"<title>safejury" in page.body
    assert view.get("index.html").body == page.body
    for name in re.findall(r'(?:src|href)="(assets/[^"]+)"', page.body.decode()):
        assert view.get(name).status == 200, name
    assert _data(view.get("data/overview.js"), "overview")["count"] == 36
    assert _data(view.get("data/index-0.js"), "index-0")["count"] == 36
    seen = _data(view.get("data/revision.js?17"), "revision")
    assert seen["runs"] == [{"phase": "finished", "finished": 36, "planned": 36}]


@pytest.mark.parametrize("path", WRONG)
def test_without_the_token_nothing_is_told(view: Viewed, path: str) -> None:
    """Not even whether there is such a thing, or what methods there are."""
    replies = [view.ask(path), view.ask(path, method="POST"), view.ask(path, version="1.0")]
    assert [each.status for each in replies] == [403, 403, 403]
    assert {each.body for each in replies} == {b"403: Forbidden"}


def test_a_token_that_is_nearly_right_is_wrong(view: Viewed) -> None:
    token = view.root.strip("/")
    for near in (
        token[:-1],
        token + "x",
        token.swapcase(),
        token[::-1],
        f"{token}%00",
        f" {token}",
    ):
        assert view.ask(f"/{near}/").status in (400, 403), near


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil.example:80@127.0.0.1", "127.0.0.2", "[::1]x"],
)
def test_a_site_that_gives_itself_this_address_gets_nothing(view: Viewed, host: str) -> None:
    reply = view.ask(view.root, host=host)
    assert (reply.status, reply.body) == (403, b"403: Forbidden")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1"])
def test_a_tunnel_may_have_another_port(view: Viewed, host: str) -> None:
    assert view.ask(view.root, host=host).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD", "TRACE"])
def test_it_only_reads(view: Viewed, method: str) -> None:
    reply = view.ask(view.root, method=method)
    assert (reply.status, reply.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "data/overview.json",
        "data/index-1.js",
        "data/index-00.js",
        "data/cases-99999999999999999999.js",
        "data/index-%D9%A1.js",
        "data/../../record.sqlite",
        "assets/../index.html",
        "record.sqlite",
        f"media/{'0' * 64}.png",
        f"media/{'0' * 64}.svg",
        "media/../record.sqlite",
        "assets//app.js",
    ],
)
def test_what_is_not_there_is_not_found(view: Viewed, name: str) -> None:
    assert view.get(name).status == 404


def test_every_reply_says_what_a_page_may_do(view: Viewed) -> None:
    replies = [view.get(""), view.get("data/overview.js"), view.get("nothing"), view.ask("/")]
    replies.append(view.ask(view.root, method="POST"))
    for reply in replies:
        told = reply.headers
        policy = dict(part.split(" ", 1) for part in told["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert told["x-content-type-options"] == "nosniff"
        assert told["referrer-policy"] == "no-referrer"
        assert told["cache-control"] == "no-store"
        assert told["cross-origin-resource-policy"] == "same-origin"
        assert told["server"] == "safejury"
        assert "access-control-allow-origin" not in told


def test_charts_are_drawn_when_they_are_asked_for(view: Viewed) -> None:
    charts = _data(view.get("data/overview.js"), "overview")["figures"]
    name = charts[0]["name"]
    begins = {"svg": b"<svg", "png": b"\x89PNG", "csv": b""}
    for form, begin in begins.items():
        assert view.get(f"figures/{name}.{form}").body.startswith(begin), form
    for wrong in (f"{name}.pdf", f"{name}.", "nothing.svg", f"../{name}.svg"):
        assert view.get(f"figures/{wrong}").status == 404


def test_a_picture_is_what_its_bytes_are(view: Viewed, whole_run: Path) -> None:
    picture = _medium(whole_run, b"\x89PNG")
    reply = view.get(f"media/{picture.name}.png")
    assert (reply.status, reply.headers["content-type"]) == (200, "image/png")
    assert reply.body == picture.read_bytes()
    assert view.get(f"media/{picture.name}.svg").status == 404
    assert view.get(f"media/{picture.name}.html").status == 404


def test_what_is_no_picture_of_the_record_is_not_served(
    workplace: Workplace, whole_run: Path
) -> None:
    """Nor does a pipe in its place, which never ends, hold up what else is asked for."""
    run = shutil.copytree(whole_run, workplace.path / "copy")
    picture, sound = _medium(run, b"\x89PNG"), _medium(run, b"ID3")
    picture.write_bytes(picture.read_bytes()[:-1] + b"!")
    sound.unlink()
    os.mkfifo(sound)
    with viewing(workplace, run) as served:
        assert served.get(f"media/{sound.name}.mp3").status == 404
        assert served.get(f"media/{picture.name}.png").status == 404
        cases = _data(served.get("data/cases-0.js"), "cases-0")["cases"]
    why = {each["sha256"]: each["why"] for case in cases for each in case.get("media", ())}
    assert why == {
        picture.name: "its file was changed after it was recorded",
        sound.name: "its file cannot be read (it is no regular file)",
    }


def test_sound_can_be_played_from_any_place(view: Viewed, whole_run: Path) -> None:
    sound = _medium(whole_run, b"ID3")
    reply = view.get(f"media/{sound.name}.mp3", "Range: bytes=100-199")
    assert (reply.status, reply.headers["content-type"]) == (206, "audio/mpeg")
    assert reply.body == sound.read_bytes()[100:200]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff" * 500,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nbroken\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ],
)
def test_garbage_does_no_harm(view: Viewed, garbage: bytes) -> None:
    assert b" 200 " not in view.raw(garbage, ends=True)[:20]
    assert view.get("").status == 200


def test_nobody_elses_machine_is_let_in(view: Viewed) -> None:
    """It listens on 127.0.0.1 alone: not on the machine's other addresses."""
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", view.port), 5):  # noqa: PT011
        pass


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_cleanly(
    sent: signal.Signals, code: int, workplace: Workplace, whole_run: Path
) -> None:
    with workplace.start("view", "--no-open", "-v", str(whole_run)) as process:
        url = process.stdout.readline().strip()
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert out == ""
    assert "Traceback" not in err
    assert url.split("/")[3] not in err


def test_a_port_that_is_in_use(workplace: Workplace, whole_run: Path, view: Viewed) -> None:
    ended = workplace.safejury("view", "--no-open", "--port", str(view.port), str(whole_run))
    ended.refused(f"port {view.port}", "in use", "--port")


def test_a_browser_is_started_with_a_link_that_works_once(
    workplace: Workplace, whole_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others who use the machine see what its processes were started with."""
    browser = workplace.path / "browser"
    browser.write_text(
        f'#!/bin/sh\necho "$1" > {workplace.path}/opened.part\n'
        f"mv {workplace.path}/opened.part {workplace.path}/opened\n"
    )
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setenv("DISPLAY", ":99")
    with workplace.start("view", str(whole_run)) as process:
        served = Viewed(process.stdout.readline().strip(), process)
        opened = workplace.path / "opened"
        while not opened.exists() and process.poll() is None:
            time.sleep(0.01)
        link = opened.read_text().strip()
        assert served.root not in link
        path = "/" + link.rpartition("/")[2]
        first, second = served.ask(path), served.ask(path)
        assert (first.status, first.headers["location"]) == (303, served.root)
        assert second.status == 403
        process.terminate()
