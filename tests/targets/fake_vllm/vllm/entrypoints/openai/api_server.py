"""Stands in for vLLM's server: the same command line and paths, without a model.

Environment variables choose how it misbehaves; `FAKE_ONCE` names a file that confines
that to the first start.

    FAKE_SAYS        what it says before it ends with code 1
    FAKE_LOADS       how many lines it writes before that
    FAKE_NEVER       it never listens
    FAKE_GATE        a file that must be there before it listens
    FAKE_DIES        the number of the call on which it ends
    FAKE_HANGS       the number of the call from which on it answers nothing at all
    FAKE_STALLS      the same, but it goes on saying that it is well
    FAKE_STUBBORN    it ignores SIGTERM
    FAKE_CHILD       it starts a process in a session of its own that ignores SIGTERM
    FAKE_UNMARKED    it starts a process without its environment, whose id it writes to this file
    FAKE_SHARES      a name under which it holds shared memory
    FAKE_LOOKS       a call waits for so many requests for /metrics, and counts work at each
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

_held: list[SharedMemory] = []
_CHILD = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
_BALLOT: dict[str, Any] = {
    "reason": "Mild.",
    "criteria": [],
    "declined": False,
    "finding": "safe",
    "rating": 5,
}
_FLAGS = (
    "enable-chunked-prefill",
    "enable-prefix-caching",
    "enable-prompt-tokens-details",
    "enforce-eager",
    "trust-remote-code",
)


def main() -> None:
    options = parse()
    sockets = Path(os.environ.get("VLLM_RPC_BASE_PATH", tempfile.gettempdir()))
    (sockets / f"socket-{os.getpid()}").touch()
    say(f"INFO 01-01 00:00:00 [api_server.py:1] args: {vars(options)}")
    once = os.environ.get("FAKE_ONCE")
    if once is not None and Path(once).exists():
        for name in [name for name in os.environ if name.startswith("FAKE_")]:
            del os.environ[name]
    elif once is not None:
        Path(once).touch()
    if "FAKE_STUBBORN" in os.environ:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if (shares := os.environ.get("FAKE_SHARES")) is not None:
        _held.append(SharedMemory(f"{shares}-{os.getpid()}", create=True, size=4096))
    if path := os.environ.get("FAKE_UNMARKED"):
        child = subprocess.Popen([sys.executable, "-c", _CHILD], env={})
        Path(path).write_text(str(child.pid))
    if "FAKE_CHILD" in os.environ:
        subprocess.Popen([sys.executable, "-c", _CHILD], start_new_session=True)
    say("INFO loading\n" * int(os.environ.get("FAKE_LOADS", "0")))
    if (says := os.environ.get("FAKE_SAYS")) is not None:
        sys.exit(says)
    if not Path(options.model).exists():
        sys.exit(
            f"OSError: {options.model} is not a local folder and is not a valid model identifier"
        )
    if "FAKE_NEVER" in os.environ:
        while True:
            signal.pause()
    gate = os.environ.get("FAKE_GATE")
    while gate is not None and not Path(gate).exists():
        time.sleep(0.02)
    Server(options).serve_forever()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("api_server.py", allow_abbrev=False)
    for name in (
        "model",
        "served-model-name",
        "host",
        "dtype",
        "gpu-memory-utilization",
        "tokenizer-mode",
        "allowed-media-domains",
    ):
        parser.add_argument(f"--{name}")
    for name in ("port", "max-model-len", "tensor-parallel-size", "block-size"):
        parser.add_argument(f"--{name}", type=int)
    for name in _FLAGS:
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction)
    parser.add_argument("--limit-mm-per-prompt", type=json.loads)
    return parser.parse_args()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, options: argparse.Namespace) -> None:
        self.model = options.served_model_name
        self.key = os.environ.get("VLLM_API_KEY")
        self.calls = 0
        self.tokens = 0
        self.looks = 0
        self.silent = False
        self.changed = threading.Condition()
        super().__init__((options.host, options.port), Handler)

    def complete(self, body: Any) -> str:
        """Answer a call, or misbehave."""
        with self.changed:
            self.calls += 1
            number = self.calls
        if number >= _number("FAKE_DIES"):
            os._exit(3)
        if number >= min(_number("FAKE_HANGS"), _number("FAKE_STALLS")):
            self.silent = number >= _number("FAKE_HANGS")
            threading.Event().wait()
        with self.changed:
            looks = int(os.environ.get("FAKE_LOOKS", "0"))
            self.changed.wait_for(lambda: self.looks >= looks)
            self.tokens += 1
        content = body["messages"][-1]["content"]
        if "response_format" in body:  # a juror is asked
            return json.dumps(_BALLOT)
        text = content if isinstance(content, str) else content[-1]["text"]
        return f"{os.getpid()} heard {text}"

    def look(self) -> str:
        with self.changed:
            self.looks += 1
            self.tokens += "FAKE_LOOKS" in os.environ
            self.changed.notify_all()
            return f'vllm:generation_tokens_total{{engine="0"}} {float(self.tokens)}\n'


def _number(name: str) -> float:
    return float(os.environ.get(name, "inf"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        if self.server.silent:
            threading.Event().wait()
        if self.path == "/health":
            self.answer(200, "")
        elif self.path == "/metrics":
            self.answer(200, self.server.look())
        elif self.keyed():
            self.answer(200, json.dumps({"data": [{"id": self.server.model}]}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.keyed():
            return
        message = {"role": "assistant", "content": self.server.complete(body)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self.answer(200, json.dumps({"model": self.server.model, "choices": [choice]}))

    def keyed(self) -> bool:
        key = self.server.key
        if key is None or self.headers["Authorization"] == f"Bearer {key}":
            return True
        self.answer(401, '{"error": "Unauthorized"}')
        return False

    def answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        host, port = self.client_address[:2]
        say(f'INFO:     {host}:{port} - "{self.requestline} HTTP/1.1" 200 OK')


if __name__ == "__main__":
    main()
