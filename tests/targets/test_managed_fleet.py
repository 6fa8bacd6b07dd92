import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from safejury.common import ConfigurationError, FirstContactError, TransportError
from safejury.models import ChatMessage, ChatModel, ChatRequest, ModelSpec
from safejury.targets import Devices, Fleet, Gpu, ServerUse, VllmSpec, serve

Fake = Callable[..., VllmSpec]
CPU = Devices(reason="a machine for tests")


class Log(list[str]):
    """What a fleet told, and a way to wait for a line of it."""

    def __init__(self) -> None:
        super().__init__()
        self._told = asyncio.Event()

    def tell(self, line: str) -> None:
        self.append(line)
        self._told.set()

    async def has(self, part: str) -> str:
        async with asyncio.timeout(60):
            while not (found := [line for line in self if part in line]):
                self._told.clear()
                await self._told.wait()
        return found[0]


def _fleet(folder: Path, log: Log, *uses: ServerUse, hang_timeout: float = 60.0) -> Fleet:
    return Fleet(
        uses,
        CPU,
        folder=folder / "logs",
        notify=log.tell,
        hang_timeout=hang_timeout,
        probe_every=0.05,
        grace=5.0,
    )


@asynccontextmanager
async def _model(fleet: Fleet, server: str, timeout: float = 60.0) -> AsyncGenerator[ChatModel]:
    model = fleet.model(ModelSpec(server, server=server, timeout=timeout))
    try:
        yield model
    finally:
        await model.aclose()


async def _ask(model: ChatModel, text: str = "a bell") -> str:
    return (await model.complete(ChatRequest((ChatMessage.of("user", text),)))).text


async def _ask_all(model: ChatModel, count: int) -> list[str]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_ask(model, f"bell {i}")) for i in range(count)]
    return [task.result().partition(" ")[2] for task in tasks]


async def test_calls_wait_for_their_server_and_are_answered(
    fake_vllm: Fake, tmp_path: Path
) -> None:
    log = Log()
    fleet = _fleet(tmp_path, log, ServerUse("a", fake_vllm()))
    async with fleet, _model(fleet, "a") as model:
        assert await _ask_all(model, 8) == [f"heard bell {i}" for i in range(8)]
    assert [line.partition(" ")[0] for line in log] == ["a:"] * 3
    assert [line.split()[1] for line in log] == ["loading", "up", "stopping"]


async def test_a_model_is_called_alike_wherever_its_server_listens(
    fake_vllm: Fake, tmp_path: Path
) -> None:
    first, second = (_fleet(tmp_path, Log(), ServerUse("a", fake_vllm())) for _ in range(2))
    names = {fleet.model(ModelSpec("a", server="a")).name for fleet in (first, second)}
    assert len(names) == 1
    assert names.pop().startswith("tiny@vllm-")
    other = _fleet(tmp_path, Log(), ServerUse("a", fake_vllm(args={"dtype": "float16"})))
    assert (
        other.model(ModelSpec("a", server="a")).name != first.model(ModelSpec("a", server="a")).name
    )


async def test_the_next_loads_once_the_last_is_released(fake_vllm: Fake, tmp_path: Path) -> None:
    log = Log()
    uses = [ServerUse(name, fake_vllm()) for name in ("a", "b")]
    fleet = _fleet(tmp_path, log, *uses)
    async with fleet, _model(fleet, "a") as first, _model(fleet, "b") as second:
        await _ask(first)
        assert not any(line.startswith("b:") for line in log), "there is room for one"
        fleet.release("a")
        await _ask(second)  # what the caller does meanwhile, such as judging, goes on
        with pytest.raises(
            FirstContactError, match="the server 'a' was stopped, because its work was"
        ):
            await _ask(first)
    said = [" ".join(line.split()[:2]) for line in log]
    assert said == ["a: loading", "a: up", "a: stopping", "b: loading", "b: up", "b: stopping"]


async def test_one_that_is_released_before_its_turn_is_not_started(
    fake_vllm: Fake, tmp_path: Path
) -> None:
    log = Log()
    fleet = _fleet(tmp_path, log, *(ServerUse(name, fake_vllm()) for name in ("a", "b", "c")))
    async with fleet:
        fleet.release("b")
        fleet.release("a")
        await fleet.ready("c")
    assert not any(line.startswith("b:") for line in log)


async def test_one_that_is_kept_runs_beside_the_others(fake_vllm: Fake, tmp_path: Path) -> None:
    kept = ServerUse("jury", fake_vllm(), keep=True)
    fleet = _fleet(tmp_path, Log(), ServerUse("a", fake_vllm()), kept)
    async with fleet, _model(fleet, "jury") as jury:
        await fleet.ready("a")
        fleet.release("jury")
        assert "heard" in await _ask(jury)


async def test_servers_that_share_a_gpu_load_one_after_the_other(
    fake_vllm: Fake, tmp_path: Path
) -> None:
    """What one takes while the other measures the free memory would be missed."""
    log = Log()
    uses = [ServerUse("a", fake_vllm(gate=tmp_path / "gate", args={"gpu-memory-utilization": 0.4}))]
    uses.append(ServerUse("b", fake_vllm(args={"gpu-memory-utilization": 0.4})))
    gpus = Devices((Gpu(0, "a card", 80 * 10**9, 80 * 10**9),))
    async with Fleet(uses, gpus, folder=tmp_path, notify=log.tell) as fleet:
        await log.has("a: loading")
        (tmp_path / "gate").touch()
        await fleet.ready("b")
    said = [" ".join(line.split()[:2]) for line in log]
    assert said[:4] == ["a: loading", "a: up", "b: loading", "b: up"]


async def test_calls_outlive_a_server_that_dies(fake_vllm: Fake, tmp_path: Path) -> None:
    log = Log()
    spec = fake_vllm(dies=3, once=tmp_path / "once")
    fleet = _fleet(tmp_path, log, ServerUse("a", spec))
    async with fleet, _model(fleet, "a") as model:
        assert await _ask_all(model, 8) == [f"heard bell {i}" for i in range(8)]
    assert "restarting (1 restarts left): it ended with code 3" in await log.has("restarting")


async def test_restarts_are_bounded(
    fake_vllm: Fake, tmp_path: Path, survivors: Callable[[], list[int]]
) -> None:
    log = Log()
    fleet = _fleet(tmp_path, log, ServerUse("a", fake_vllm(dies=1, restarts=2)))
    async with fleet, _model(fleet, "a") as model:
        with pytest.raises(FirstContactError) as failed:
            await _ask(model)
        assert survivors() == []
    assert "the server 'a' failed and was restarted 2 times (restarts: 2)" in str(failed.value)
    assert "it ended with code 3" in str(failed.value)
    assert sum("loading" in line for line in log) == 3


async def test_one_that_does_not_start_is_not_tried_again(fake_vllm: Fake, tmp_path: Path) -> None:
    log = Log()
    says = "ValueError: No available memory for the cache blocks."
    fleet = _fleet(tmp_path, log, ServerUse("a", fake_vllm(says=says)))
    async with fleet, _model(fleet, "a") as model:
        with pytest.raises(FirstContactError, match=r"no memory for its KV cache.*end of its log"):
            await _ask(model)
    assert len(log) == 1


async def test_the_next_starts_where_one_cannot(fake_vllm: Fake, tmp_path: Path) -> None:
    broken = ServerUse("a", fake_vllm(says="Error: no"))
    fleet = _fleet(tmp_path, Log(), broken, ServerUse("b", fake_vllm()))
    async with fleet, _model(fleet, "b") as model:
        assert "heard" in await _ask(model)
        with pytest.raises(FirstContactError):
            await fleet.ready("a")


async def test_one_that_answers_nothing_is_started_again(fake_vllm: Fake, tmp_path: Path) -> None:
    log = Log()
    spec = fake_vllm(hangs=3, once=tmp_path / "once")
    fleet = _fleet(tmp_path, log, ServerUse("a", spec), hang_timeout=0.5)
    async with fleet, _model(fleet, "a") as model:
        assert await _ask_all(model, 8) == [f"heard bell {i}" for i in range(8)]
    assert "it did not answer for" in await log.has("restarting")


async def test_one_that_says_it_is_well_but_does_no_work_is_started_again(
    fake_vllm: Fake, tmp_path: Path
) -> None:
    log = Log()
    spec = fake_vllm(stalls=3, once=tmp_path / "once")
    fleet = _fleet(tmp_path, log, ServerUse("a", spec), hang_timeout=0.3)
    async with fleet, _model(fleet, "a", timeout=1.0) as model:
        assert await _ask_all(model, 8) == [f"heard bell {i}" for i in range(8)]
    assert "it did no work for 1 s, with" in await log.has("restarting")


async def test_one_that_works_for_long_is_left_alone(fake_vllm: Fake, tmp_path: Path) -> None:
    log = Log()
    spec = fake_vllm(looks=30)  # looked at every 0.05 s: far longer than it may hang
    fleet = _fleet(tmp_path, log, ServerUse("a", spec), hang_timeout=0.4)

    async def ask_until_answered(timeout: float) -> None:
        async with _model(fleet, "a", timeout) as model:
            while True:
                with suppress(TransportError):
                    await _ask(model)
                    return

    async with fleet, asyncio.TaskGroup() as group:
        group.create_task(ask_until_answered(0.4))
        group.create_task(ask_until_answered(0.3))
    assert not any("again" in line for line in log)


async def test_serve_announces_and_is_canceled_cleanly(
    fake_vllm: Fake, tmp_path: Path, survivors: Callable[[], list[int]]
) -> None:
    announced = Log()
    uses = [ServerUse(name, fake_vllm(), keep=True) for name in ("a", "b")]
    serving = asyncio.ensure_future(serve(_fleet(tmp_path, Log(), *uses), announced.tell))
    assert (await announced.has("a: http://127.0.0.1:")).endswith("/v1")
    await announced.has("b: http://127.0.0.1:")
    assert survivors() != []
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert survivors() == []


async def test_serve_says_at_once_which_server_cannot_start(
    fake_vllm: Fake, tmp_path: Path
) -> None:
    uses = [
        ServerUse("slow", fake_vllm(never=1), keep=True),
        ServerUse("broken", fake_vllm(says="Error: no"), keep=True),
    ]
    with pytest.raises(FirstContactError, match="the server 'broken' did not start"):
        await serve(_fleet(tmp_path, Log(), *uses), Log().tell)


async def test_serve_says_when_a_server_is_given_up_later(fake_vllm: Fake, tmp_path: Path) -> None:
    announced = Log()
    spec = fake_vllm(dies=1, restarts=0)
    fleet = _fleet(tmp_path, Log(), ServerUse("a", spec, keep=True))
    serving = asyncio.ensure_future(serve(fleet, announced.tell))
    await announced.has("a: ")
    async with _model(fleet, "a") as model:
        with pytest.raises(FirstContactError):
            await _ask(model)
    with pytest.raises(FirstContactError, match=r"was not restarted \(restarts: 0\)"):
        await serving


async def test_serve_needs_room_for_all(fake_vllm: Fake, tmp_path: Path) -> None:
    uses = [ServerUse(name, fake_vllm()) for name in ("a", "b")]
    with pytest.raises(ConfigurationError, match="no room for all servers at once: b would wait"):
        await serve(_fleet(tmp_path, Log(), *uses), Log().tell)


async def test_a_missing_model_is_named_before_anything_starts(
    fake_vllm: Fake, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        _fleet(tmp_path, Log(), ServerUse("a", fake_vllm("./nowhere")))


async def test_a_server_that_is_not_there_is_named(fake_vllm: Fake, tmp_path: Path) -> None:
    fleet = _fleet(tmp_path, Log(), ServerUse("llava", fake_vllm()))
    with pytest.raises(ConfigurationError, match=r"no managed server 'lava'.*llava"):
        fleet.model(ModelSpec("x", server="lava"))


async def test_the_random_key_is_told_to_nobody(
    fake_vllm: Fake,
    tmp_path: Path,
    survivors: Callable[[], list[int]],
    proc: Callable[[int, str], list[bytes]],
) -> None:
    log = Log()
    fleet = _fleet(tmp_path, log, ServerUse("a", fake_vllm()))
    async with fleet:
        await fleet.ready("a")
        pids = survivors()
        variables = {word for pid in pids for word in proc(pid, "environ")}
        (variable,) = (word for word in variables if word.startswith(b"VLLM_API_KEY="))
        key = variable.partition(b"=")[2]
        assert len(key) > 30
        assert not any(key in word for pid in pids for word in proc(pid, "cmdline"))
    assert key not in (tmp_path / "logs" / "a.log").read_bytes()
    assert key.decode() not in "\n".join(log)


async def test_a_server_that_was_released_has_ended_when_the_fleet_is_left(
    fake_vllm: Fake, survivors: Callable[[], list[int]], tmp_path: Path
) -> None:
    spec = fake_vllm(stubborn=1)  # it ends only when it is killed, after its grace
    async with Fleet(
        [ServerUse("a", spec)], Devices(), folder=tmp_path, notify=lambda line: None, grace=1.0
    ) as fleet:
        await fleet.ready("a")
        fleet.release("a")
        fleet.release("a")
        await asyncio.sleep(0)
    assert survivors() == []
