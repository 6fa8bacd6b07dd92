import sys
from pathlib import Path

import pytest

from safejury.common import ConfigurationError
from safejury.targets import Devices, Gpu, ServerUse, VllmSpec, find_devices, plan, render_plan

GB = 10**9


def _gpus(count: int, **free: int) -> Devices:
    """Make GPUs of 80 GB; `gpu1=10` leaves 10 GB free of the second."""
    return Devices(
        tuple(
            Gpu(index, "a card", 80 * GB, free.get(f"gpu{index}", 80) * GB)
            for index in range(count)
        )
    )


CPU = Devices((), 16 * GB, "its torch sees none")


def _use(
    name: str, gpus: int | None = None, *, keep: bool = False, share: float | None = None
) -> ServerUse:
    args: dict[str, object] = {} if share is None else {"gpu-memory-utilization": share}
    return ServerUse(name, VllmSpec.of(f"org/{name}", gpus=gpus, args=args), keep)


def _places(devices: Devices, *uses: ServerUse) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return each server's GPUs, and whom it waits for."""
    return {
        placement.use.name: (placement.gpus, " ".join(placement.after))
        for placement in plan(uses, devices).placements
    }


def test_without_a_gpu_servers_take_turns_on_the_cpu() -> None:
    assert _places(CPU, _use("a"), _use("b"), _use("c", 0)) == {
        "a": ((), ""),
        "b": ((), "a"),
        "c": ((), "b"),
    }


def test_those_that_are_kept_start_first_and_make_no_room() -> None:
    assert _places(CPU, _use("a"), _use("b"), _use("jury", keep=True)) == {
        "jury": ((), ""),
        "a": ((), ""),
        "b": ((), "a"),
    }
    assert list(_places(CPU, _use("a"), _use("jury", keep=True))) == ["jury", "a"]


def test_one_gpu_is_handed_on() -> None:
    assert _places(_gpus(1), _use("a"), _use("b")) == {"a": ((0,), ""), "b": ((0,), "a")}


def test_two_gpus_run_two_servers_and_the_third_waits_for_the_first() -> None:
    assert _places(_gpus(2), _use("a"), _use("b"), _use("c")) == {
        "a": ((0,), ""),
        "b": ((1,), ""),
        "c": ((0,), "a"),
    }


def test_eight_gpus_are_filled_in_the_order_of_the_config() -> None:
    uses = [_use("a", 4), _use("b", 2), _use("c"), _use("d"), _use("e", 8), _use("f", 2)]
    assert _places(_gpus(8), *uses) == {
        "a": ((0, 1, 2, 3), ""),
        "b": ((4, 5), ""),
        "c": ((6,), ""),
        "d": ((7,), ""),
        "e": ((0, 1, 2, 3, 4, 5, 6, 7), "a b c d"),
        "f": ((0, 1), "e"),
    }


def test_servers_whose_memory_is_bounded_share_a_gpu() -> None:
    shares = {"a": 0.45, "b": 0.45, "c": 0.5}
    uses = [_use(name, share=share) for name, share in shares.items()]
    assert _places(_gpus(1), *uses) == {"a": ((0,), ""), "b": ((0,), ""), "c": ((0,), "a")}
    assert [gpus for gpus, _ in _places(_gpus(2), *uses).values()] == [(0,), (0,), (1,)]


def test_ten_shares_of_a_tenth_fit() -> None:
    uses = [_use(f"s{number}", share=0.1) for number in range(10)]
    assert all(place == ((0,), "") for place in _places(_gpus(1), *uses).values())


def test_a_gpu_that_others_use_is_taken_last() -> None:
    assert _places(_gpus(2, gpu0=10), _use("a")) == {"a": ((1,), "")}


def test_parallel_sizes_say_how_many_gpus_a_server_takes() -> None:
    spec = VllmSpec.of("org/a", args={"tensor_parallel_size": 2, "pp": 2})
    assert _places(_gpus(8), ServerUse("a", spec)) == {"a": ((0, 1, 2, 3), "")}
    assert _places(CPU, ServerUse("a", spec)) == {"a": ((), "")}


def test_a_server_on_the_cpu_waits_for_none_on_a_gpu() -> None:
    assert _places(_gpus(1), _use("a"), _use("b", 0), _use("c")) == {
        "a": ((0,), ""),
        "b": ((), ""),
        "c": ((0,), "a"),
    }


def _refused(devices: Devices, *uses: ServerUse) -> str:
    with pytest.raises(ConfigurationError) as failed:
        plan(uses, devices)
    return str(failed.value)


def test_more_gpus_than_there_are_is_refused() -> None:
    assert _refused(_gpus(2), _use("big", 4)) == (
        "the server 'big' needs 4 GPUs, and this machine has only 2; lower `gpus:`, or leave it out"
    )
    assert _refused(CPU, _use("big", 1)) == (
        "the server 'big' needs 1 GPU, and this machine has none (its torch sees none); lower "
        "`gpus:`, or leave it out"
    )


def test_what_kept_servers_leave_may_be_too_little() -> None:
    error = _refused(_gpus(2), _use("jury", keep=True), _use("big", 2))
    assert "the server 'big' needs 2 GPUs, but of the 2 here some stay with jury" in error
    assert "gpu-memory-utilization" in error


def test_a_plan_for_another_machine_says_what_has_no_place_here() -> None:
    """One that cannot be placed makes no room, and takes none from others."""
    uses = [_use("a"), _use("big", 4), _use("c")]
    assert render_plan(plan(uses, _gpus(1), whole=False))[2:] == [
        "a: org/a on GPU 0, at once",
        "c: org/c on GPU 0, once the responses of a are in",
        "not here: the server 'big' needs 4 GPUs, and this machine has only 1; lower `gpus:`, "
        + "or leave it out",
    ]


def test_two_servers_of_one_name_are_refused() -> None:
    assert "two servers are named 'a'" in _refused(CPU, _use("a"), _use("a"))


def test_a_plan_reads_well() -> None:
    uses = [_use("a"), _use("b", 2), _use("c"), _use("jury", share=0.4, keep=True)]
    assert render_plan(plan(uses, _gpus(3))) == [
        "3 GPUs here:",
        "  GPU 0: a card, 80 of 80 GB free",
        "  GPU 1: a card, 80 of 80 GB free",
        "  GPU 2: a card, 80 of 80 GB free",
        "jury: org/jury on GPU 0 (40 % of its memory), for the whole run",
        "a: org/a on GPU 1, at once",
        "b: org/b on GPU 1 and 2, once the responses of a are in",
        "c: org/c on GPU 1, once the responses of b are in",
    ]


def test_a_plan_without_a_gpu_says_why() -> None:
    assert render_plan(plan([_use("a")], CPU)) == [
        "no GPU here (its torch sees none): servers run on the CPU, with 16 GB of memory free",
        "a: org/a on the CPU, at once",
    ]


def test_a_plan_warns_where_other_programs_hold_the_memory() -> None:
    assert render_plan(plan([_use("a")], _gpus(1, gpu0=30)))[-1] == (
        "  warning: other programs use GPU 0; a takes 72 GB of it, and 30 GB are free"
    )
    assert "warning" not in str(render_plan(plan([_use("a", share=0.3)], _gpus(1, gpu0=30))))


TORCH = """
class cuda:
    is_available = staticmethod(lambda: True)
    device_count = staticmethod(lambda: 2)
    mem_get_info = staticmethod(lambda index: (10**9 * (index + 1), 24 * 10**9))
    get_device_name = staticmethod(lambda index: f"card {index}")
print("torch greets")
"""


def test_gpus_are_found_with_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text(TORCH)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-5e")
    found = find_devices(sys.executable)
    assert found.gpus == (
        Gpu(0, "card 0", 24 * GB, GB, "3"),
        Gpu(1, "card 1", 24 * GB, 2 * GB, "GPU-5e"),
    )
    assert found.reason is None
    assert (found.memory_bytes or 0) > 0


def test_a_torch_that_is_broken_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise RuntimeError('no libcuda')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(
        ConfigurationError, match=r"could not report its GPUs \(RuntimeError: no lib"
    ):
        find_devices()


def test_a_python_without_torch_has_no_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = find_devices()
    assert found.gpus == ()
    assert found.reason == f"{sys.executable}: torch is not installed in it"


def test_a_python_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(ConfigurationError, match=r"did not report its GPUs within 0\.2 s"):
        find_devices(str(tmp_path / "python"), timeout=0.2)
    with pytest.raises(ConfigurationError, match="cannot be run"):
        find_devices(str(tmp_path / "none"))
