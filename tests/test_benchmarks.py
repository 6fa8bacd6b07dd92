"""The benchmarks run, on whatever server they are pointed at."""

import json
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from safejury.testing import ballot

FLOOR = Path(__file__).parents[1] / "benchmarks" / "floor.py"
COUNTS = ("--verdicts", "3", "--in-flight", "2")
Serve = Callable[[str | None], AbstractContextManager[str]]


@pytest.fixture
def serve() -> Serve:
    """Serve ballots, their length under a header of the given spelling, or under none."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        header: str | None = None

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            again = "another: " in str(asked["messages"])
            finding = "unsafe" if again or "lawyer" in str(asked["messages"]).lower() else "safe"
            said = ballot(finding, 1 if finding == "unsafe" else 5)
            body = json.dumps({"choices": [{"message": {"content": said}}]}).encode()
            self.send_response(200)
            if self.header is not None:
                self.send_header(self.header, str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    @contextmanager
    def serving(header: str | None) -> Generator[str]:
        Handler.header = header
        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/v1"
            server.shutdown()

    return serving


def _floor(url: str, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", FLOOR, "--base-url", url, *COUNTS, *more],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("header", ["Content-Length", "content-length"])
@pytest.mark.parametrize(("protocol", "calls"), [("vote", 12), ("contested", 21)])
def test_the_floor_reads_headers_however_they_are_written(
    header: str, protocol: str, calls: int, serve: Serve
) -> None:
    with serve(header) as url:
        done = _floor(url, "--protocol", protocol)
    assert done.returncode == 0, done.stderr
    took = json.loads(done.stdout)
    assert (took["verdicts"], took["calls"]) == (3, calls)


def test_a_reply_that_the_floor_cannot_read_ends_it(serve: Serve) -> None:
    with serve(None) as url:
        done = _floor(url)
    assert done.returncode != 0
    assert "without Content-Length" in done.stderr


@pytest.mark.slow
def test_a_cluster_is_simulated_with_constants_measured_here():
    script = FLOOR.with_name("cluster_simulation.py")
    done = subprocess.run(
        [sys.executable, "-P", script, "--cases", "20000", "--verdicts", "20"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|") for line in done.stdout.splitlines() if line.startswith("| 1")]
    slow = [float(row[2].replace(",", "")) for row in rows[:3]]
    # 2,000 calls at a time of 2 s are 250 cases a second, by however many workers.
    assert slow[0] <= 251
    assert all("the endpoint" in row[8] or "workers' CPU" in row[8] for row in rows[:3])
    # Without a limit of the endpoint, many workers are held up by the driver alone.
    assert "the driver's CPU" in rows[-1][8]
