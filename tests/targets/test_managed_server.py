import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from safejury.common import ConfigurationError, FirstContactError
from safejury.targets import ManagedServer, VllmSpec

Fake = Callable[..., VllmSpec]
KEY = "a-key-that-nobody-guesses"


async def _status(url: str, key: str | None = None) -> int:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as response:
        return response.status


async def _refused(server: ManagedServer) -> str:
    """Start it in vain and return why."""
    with pytest.raises(ConfigurationError) as failed:
        await server.start()
    assert server.pid is None
    return str(failed.value)


async def test_it_answers_until_it_is_stopped(
    fake_vllm: Fake, tmp_path: Path, survivors: Callable[[], list[int]]
) -> None:
    server = ManagedServer("tiny", fake_vllm(), folder=tmp_path / "logs")
    async with server:
        assert await _status(f"{server.url}/models") == 200
        assert await server.healthy()
        assert server.pid in survivors()
    assert survivors() == []
    assert server.ended is not None
    assert (tmp_path / "logs" / "tiny.log").read_text().startswith("INFO")


async def test_its_key_is_asked_for_and_shown_nowhere(
    fake_vllm: Fake,
    tmp_path: Path,
    survivors: Callable[[], list[int]],
    proc: Callable[[int, str], list[bytes]],
) -> None:
    server = ManagedServer("tiny", fake_vllm(), folder=tmp_path, api_key=KEY)
    async with server:
        assert await _status(f"{server.url}/models") == 401
        assert await _status(f"{server.url}/models", KEY) == 200
        pids = survivors()
        assert len(pids) == 2, "the server and its watchdog"
        assert not any(KEY.encode() in word for pid in pids for word in proc(pid, "cmdline"))
    assert KEY not in server.log.read_text()


async def test_a_secret_in_its_log_stays_out_of_the_error(fake_vllm: Fake, tmp_path: Path) -> None:
    spec = fake_vllm(env={"HF_TOKEN": "hf-abcdefghijk"}, says="Error: hf-abcdefghijk, " + KEY)
    error = await _refused(ManagedServer("tiny", spec, folder=tmp_path, api_key=KEY))
    assert "[redacted], [redacted]" in error
    assert KEY not in error
    assert "hf-abcdefghijk" not in error


async def test_it_is_started_with_its_arguments(fake_vllm: Fake, tmp_path: Path) -> None:
    args: dict[str, object] = {"max_model_len": 2048, "limit-mm-per-prompt": {"image": 2}}
    async with ManagedServer("tiny", fake_vllm(args=args), folder=tmp_path) as server:
        said = server.log.read_text()
    assert "'max_model_len': 2048" in said
    assert "'limit_mm_per_prompt': {'image': 2}" in said
    assert "'enable_prefix_caching': True" in said
    assert "'allowed_media_domains': 'invalid'" in said, "it fetches nothing from the network"
    assert "'served_model_name': 'tiny'" in said


async def test_a_port_in_use_is_refused_at_once(fake_vllm: Fake, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = await _refused(ManagedServer("tiny", fake_vllm(port=port), folder=tmp_path))
    assert f"the port {port} is taken; give it another, or leave `port:` out" in error
    assert not (tmp_path / "tiny.log").exists()


async def test_two_servers_cannot_be_given_one_port(
    fake_vllm: Fake, tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
) -> None:
    """Not even while the first does not listen yet."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gate = tmp_path / "gate"
    first = ManagedServer("first", fake_vllm(port=port, gate=gate), folder=tmp_path)
    second = ManagedServer("second", fake_vllm(port=port), folder=tmp_path)
    async with asyncio.TaskGroup() as group:
        starting = group.create_task(first.start())
        await asyncio.to_thread(eventually, first.log.exists)
        assert "is taken" in await _refused(second)
        gate.touch()
        await starting
    await first.stop()
    async with second:
        assert await second.healthy(), "the port is free again"


async def test_another_port_is_tried_when_somebody_was_quicker(
    fake_vllm: Fake, tmp_path: Path
) -> None:
    says = "OSError: [Errno 98] error while attempting to bind on address ('127.0.0.1', 1)"
    spec = fake_vllm(says=says, once=tmp_path / "once")
    async with ManagedServer("tiny", spec, folder=tmp_path) as server:
        assert await server.healthy()
        assert says in server.log.read_text()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ((), "has no config.json"),
        (("config.json",), "has no weights"),
        (("config.json", "model.safetensors.index.json"), "has no weights"),
        (
            ("config.json", "model.safetensors.index.json", "model-1.safetensors"),
            "lacks model-2.safetensors, which model.safetensors.index.json lists",
        ),
    ],
)
async def test_a_folder_without_a_whole_model_is_refused(
    fake_vllm: Fake, tmp_path: Path, files: tuple[str, ...], says: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in files:
        (folder / name).write_text(
            '{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}'
        )
    error = await _refused(ManagedServer("x", fake_vllm(str(folder)), folder=tmp_path))
    assert f"{folder.name}' {says}" in error


async def test_a_pointer_in_place_of_weights_is_refused(
    fake_vllm: Fake, model_folder: Path, tmp_path: Path
) -> None:
    weights = model_folder / "model.safetensors"
    weights.write_text("version https://git-lfs.github.com/spec/v1\n")
    error = await _refused(ManagedServer("x", fake_vllm(), folder=tmp_path))
    assert "a Git LFS pointer instead of model.safetensors (run `git lfs pull`)" in error


async def test_a_folder_that_is_not_there_is_refused(fake_vllm: Fake, tmp_path: Path) -> None:
    error = await _refused(ManagedServer("x", fake_vllm("./nowhere"), folder=tmp_path))
    assert "does not exist" in error


async def test_a_python_that_is_not_there_is_refused(fake_vllm: Fake, tmp_path: Path) -> None:
    error = await _refused(ManagedServer("x", fake_vllm(python="/no/python"), folder=tmp_path))
    assert "there is no Python '/no/python'; name the one that has vLLM with `python:`" in error


async def test_a_log_that_cannot_be_written_is_named(fake_vllm: Fake, tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    error = await _refused(ManagedServer("x", fake_vllm(), folder=tmp_path / "logs"))
    assert "cannot write its log" in error


async def test_one_that_never_answers_is_given_up(fake_vllm: Fake, tmp_path: Path) -> None:
    spec = fake_vllm(never=1, start_timeout=0.5)
    error = await _refused(ManagedServer("tiny", spec, folder=tmp_path))
    assert "the server 'tiny' did not answer within 0.5 s (start_timeout)" in error


async def test_one_that_is_killed_while_it_starts_says_so(
    fake_vllm: Fake, tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
) -> None:
    server = ManagedServer("tiny", fake_vllm(never=1), folder=tmp_path)
    starting = asyncio.ensure_future(server.start())
    await asyncio.to_thread(eventually, lambda: server.pid is not None)
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(FirstContactError, match=r"killed by signal 9 \(SIGKILL\).*out of memory"):
        await starting


async def test_a_start_that_is_canceled_leaves_nothing(
    fake_vllm: Fake,
    tmp_path: Path,
    survivors: Callable[[], list[int]],
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    server = ManagedServer("tiny", fake_vllm(never=1, child=1), folder=tmp_path, grace=0.2)
    starting = asyncio.ensure_future(server.start())
    await asyncio.to_thread(eventually, lambda: len(survivors()) == 3)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert survivors() == []


async def test_an_error_shows_the_end_of_the_last_start_alone(
    fake_vllm: Fake, tmp_path: Path
) -> None:
    log = tmp_path / "tiny.log"
    log.write_text("CUDA out of memory, long ago\n" * 100_000)
    spec = fake_vllm(says="Error: the cat is on the keyboard")
    error = await _refused(ManagedServer("tiny", spec, folder=tmp_path))
    assert "code 1: Error: the cat is on the keyboard (log: " in error
    assert "long ago" not in error
    assert len(error) < 2000


async def test_a_long_log_is_read_from_its_end(fake_vllm: Fake, tmp_path: Path) -> None:
    spec = fake_vllm(loads=200_000, says="Error: the cat is on the keyboard")
    error = await _refused(ManagedServer("tiny", spec, folder=tmp_path))
    assert (tmp_path / "tiny.log").stat().st_size > 2**20
    assert "the cat" in error
    assert len(error) < 5000


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"gpus": -1}, "gpus must be at least 0"),
        ({"port": 70_000}, "port must be 1 to 65535"),
        ({"start_timeout": 0}, "start_timeout must be above 0"),
        ({"restarts": -1}, "restarts must be at least 0"),
        ({"gpus": 1, "args": {"tensor_parallel_size": 2}}, "gpus must be at least 2"),
        ({"args": {"api-key": "x"}}, "leave 'api-key' out"),
        ({"args": {"--port": 1}}, "write `port:` beside `args:`"),
        ({"args": {"max model len": 1}}, "is not an argument that can be given"),
        ({"env": {"A=B": "x"}}, "cannot be an environment variable"),
    ],
)
def test_a_spec_that_cannot_work_is_refused(words: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        VllmSpec.of("some/model", **words)  # pyright: ignore[reportArgumentType]


def test_the_command_line_follows_from_the_spec() -> None:
    args: dict[str, object] = {
        "enable_prefix_caching": False,
        "trust-remote-code": True,
        "enable_prompt_tokens_details": None,
        "hf_overrides.some_key": "-1",
    }
    command = VllmSpec.of("some/model", args=args, python="python3").command(8000, 2)
    assert command[:3] == ["python3", "-m", "vllm.entrypoints.openai.api_server"]
    assert command[3:5] == ["--model", "some/model"]
    assert command[9:] == [
        *("--port", "8000", "--no-enable-prefix-caching", "--allowed-media-domains=invalid"),
        "--tensor-parallel-size=2",
        *("--trust-remote-code", "--hf-overrides.some_key=-1"),
    ]
