"""The embedded model's server process, which ends with the run.

It prints one JSON line with its address and key once it answers, and exits as soon as its
standard input ends, which happens however its parent ends.
"""

import argparse
import ctypes
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

CONTEXT_TOKENS = 8192
"""The context length of SmolLM2, shared by prompt and reply."""
_PROMPT_CACHE_MIB = 512  # about 20 prompts of 1,000 tokens
_WARNINGS_ONLY = 2
_PR_SET_PDEATHSIG = 1


class _Server(Protocol):
    listening_address: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m safejury.models.embedded._server")
    parser.add_argument("--model", required=True, help="GGUF file")
    parser.add_argument("--alias", required=True, help="the model's name in replies")
    parser.add_argument("--threads", type=int, required=True, help="how many compute")
    parser.add_argument("--parent", type=int, default=0, help="die with this process, 0 for none")
    options = parser.parse_args(arguments)
    _die_with(options.parent)
    threading.Thread(target=_watch, daemon=True).start()
    ready = os.dup(1)
    os.dup2(2, 1)  # the engine may write to standard output, which is for one line only
    key = secrets.token_urlsafe()  # web pages and other users reach loopback too
    server = _serve(options.model, options.alias, options.threads, key)
    os.write(ready, json.dumps({"url": server.listening_address, "api_key": key}).encode() + b"\n")
    os.close(ready)
    threading.Event().wait()


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process when `parent` ends, if it supports that."""
    if not parent or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call
        os._exit(0)


def _watch() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)  # the engine's threads do not let the interpreter end


def _serve(model: str, alias: str, threads: int, key: str) -> _Server:
    """Start the engine, and return it once it answers.

    One slot: jurors share a long prefix, which a slot computes once and then reuses.
    Several slots would compute it side by side: five ballots over 1,200 shared tokens
    took 10 s with one slot, 15 s with two and 25 s with four, on two cores.
    """
    engine = import_module("xllamacpp")
    params = engine.CommonParams()
    params.model.path = model
    params.model_alias = {alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = False
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams_batch.n_threads = params.cpuparams.n_threads = threads
    params.cache_prompt = True
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.verbosity = _WARNINGS_ONLY
    return engine.Server(params)


if __name__ == "__main__":
    main()
