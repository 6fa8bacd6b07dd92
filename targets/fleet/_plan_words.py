"""Renders a plan of servers as text."""

from ...common.text import whole_percent
from ._devices import Devices
from ._plan import Placement, Plan, format_gpus

_GB = 10**9
_VLLM_SHARE = 0.9  # what vLLM takes of a GPU unless gpu-memory-utilization says otherwise


def render_plan(plan: Plan) -> list[str]:
    """Render a plan as lines for the terminal."""
    lines = [_gpu_line(plan.devices)]
    lines += (
        f"  GPU {gpu.index}: {gpu.name}, {_gb(gpu.free_bytes)} of {_gb(gpu.total_bytes)} GB free"
        for gpu in plan.devices.gpus
    )
    for placement in plan.placements:
        lines.append(_placement_line(placement))
        lines += _shortages(placement, plan.devices)
    lines += (f"not here: {why}" for why in plan.unplaced)
    return lines


def _gpu_line(devices: Devices) -> str:
    if devices.gpus:
        return f"{format_gpus(len(devices.gpus))} here:"
    why = f" ({devices.reason})" if devices.reason else ""
    memory = devices.memory_bytes
    free = "" if memory is None else f", with {_gb(memory)} GB of memory free"
    return f"no GPU here{why}: servers run on the CPU{free}"


def _placement_line(placement: Placement) -> str:
    use = placement.use
    numbers = " and ".join(map(str, placement.gpus))
    where = f"on GPU {numbers}" if placement.gpus else "on the CPU"
    if placement.gpus and placement.share < 1:
        where += f" ({whole_percent(placement.share)} of its memory)"
    if use.keep:
        when = "for the whole run"
    elif placement.after:
        when = f"once the responses of {' and '.join(placement.after)} are in"
    else:
        when = "at once"
    return f"{use.name}: {use.spec.model} {where}, {when}"


def _shortages(placement: Placement, devices: Devices) -> list[str]:
    """Return a warning for each GPU that has less free memory than the server takes."""
    share = _VLLM_SHARE if placement.share == 1 else placement.share
    return [
        f"  warning: other programs use GPU {gpu.index}; {placement.use.name} takes "
        f"{_gb(int(share * gpu.total_bytes))} GB of it, and {_gb(gpu.free_bytes)} GB are free"
        for gpu in devices.gpus
        if gpu.index in placement.gpus and gpu.free_bytes < share * gpu.total_bytes
    ]


def _gb(size: int) -> str:
    return f"{size / _GB:.0f}"
