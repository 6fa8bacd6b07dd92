"""Simulate a million cases on a cluster: `python benchmarks/cluster_simulation.py [--cases N]`.

The constants are measured first, by this script, on one core of this machine:

- CPU a verdict in a worker: a real run of `ours.py` in one process. A worker sends its rows in
  place of writing them, which is counted as well, so this is rather too much.
- CPU and bytes a case at the driver: the rows of that run are unpacked as a driver does, and
  written into a new record in groups; and a trial is packed that is given to a worker.
- CPU of a message: two calls of a Ray actor (`--ray`, where Ray is installed; else what was
  measured before). A report to the book of leases goes with it.

The model is of discrete events. A worker has one core. It judges the cases it has, at most as
fast as its core allows, and as its share of the endpoint does: a share divided by the calls of a
case and the seconds of a call. The driver takes the reports of workers one after the other, on a
core of its own: what is finished by then is sent, written, and replaced by other trials; the next
report is due a pace later. Meanwhile the worker goes on with what it has: twice its share of
cases, and 32 ahead, as the engine has it. Shares are equal, as all workers need the same, and
leases cost no throughput (see `lease_waits.py`). All workers begin at once. The network, the disk
(its bytes are counted, and the wall time of writing is shown) and the endpoint's server are taken
for fast enough, and nothing fails.
"""

import argparse
import asyncio
import heapq
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from safejury.common import import_extra
from safejury.evaluation import open_record
from safejury.evaluation.record import StoredCall, StoredEntry
from safejury.evaluation.trials import CaseResult

sys.path.insert(0, str(Path(__file__).parent))

from lease_waits import report_costs
from ours import measure

CALLS = 4
"""Of a case: one to the target, then three to jurors at a time."""
OPEN_PER_CALL, AHEAD = 2, 32
WITHOUT_LIMIT = 200
"""Calls at a time of a worker whose endpoint has no limit."""
FASTEST_PACE_S, PACE_EACH_S, SLOWEST_PACE_S = 0.05, 0.0125, 0.5
MEASURED_MESSAGE_S, MEASURED_MB_S = 0.75e-3, 2.3e-3
"""Of CPU at the driver: for two calls of an actor, and for each MB that comes with them."""
_HEAD = """\
| workers | cases/s | hours | workers' CPU | endpoint | driver's CPU | MB/s | bound by |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"""
WORKERS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured, in seconds of CPU and bytes.

    Attributes:
        verdict_s: A verdict in a worker.
        case_s: A case at the driver.
        message_s: A report of a worker and what it is answered, at the driver.
        lease_s: The book of leases, a report.
        mb_s: A MB of rows that comes to the driver.
        row_bytes: Rows of a case, as they travel.
        disk_bytes: A case in the record.
        written_s: Wall time of writing a case into the record, with commits.
    """

    verdict_s: float
    case_s: float
    message_s: float
    lease_s: float
    mb_s: float
    row_bytes: float
    disk_bytes: float
    written_s: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a run may take of its endpoint; None is no limit, and no time."""

    name: str
    calls: int | None
    seconds: float


ENDPOINTS = (
    Endpoint("2,000 calls at a time, 2 s each", 2_000, 2.0),
    Endpoint("20,000 calls at a time, 2 s each", 20_000, 2.0),
    Endpoint("without limit, at once", None, 0.0),
)


@dataclass(slots=True)
class Seen:
    """How a simulated run went."""

    seconds: float = 0.0
    driver_s: float = 0.0
    reports: int = 0
    busy_s: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--verdicts", type=int, default=1000, help="of the run that is measured")
    parser.add_argument("--ray", action="store_true", help="measure the messages of Ray, too")
    options = parser.parse_args()
    costs = _measured(options.verdicts, with_ray=options.ray)
    print("| constant | measured |\n| --- | ---: |")
    for name, text in _shown(costs):
        print(f"| {name} | {text} |")
    for endpoint in ENDPOINTS:
        print(f"\n{options.cases:,} cases, endpoint: {endpoint.name}\n")
        print(_HEAD)
        for workers in WORKERS:
            seen = simulate(options.cases, workers, endpoint, costs)
            print(_row(seen, options.cases, workers, endpoint, costs), flush=True)
    most = 1 / (costs.case_s + costs.row_bytes / 1e6 * costs.mb_s)
    print(
        f"\nOne driver: at most {most:,.0f} cases a second, were there no messages, as many as "
        f"{most * costs.verdict_s:.0f} workers judge that wait for nothing."
    )


def simulate(cases: int, workers: int, endpoint: Endpoint, costs: Costs) -> Seen:
    """Run the model; see the module."""
    share = WITHOUT_LIMIT if endpoint.calls is None else endpoint.calls / workers
    rate = 1 / costs.verdict_s
    if endpoint.calls is not None:
        rate = min(rate, share / (CALLS * endpoint.seconds))
    room = OPEN_PER_CALL * share + AHEAD
    pace = min(SLOWEST_PACE_S, max(FASTEST_PACE_S, PACE_EACH_S * workers))
    seen, left, driver_free = Seen(), float(cases), 0.0
    has, finished, since = [0.0] * workers, [0.0] * workers, [0.0] * workers

    def go_on(number: int, until: float) -> None:
        done = min(has[number], rate * (until - since[number]))
        has[number] -= done
        finished[number] += done
        seen.busy_s += done * costs.verdict_s
        since[number] = until

    due = [(0.0, number) for number in range(workers)]
    while due:
        at, number = heapq.heappop(due)
        begun = max(at, driver_free)
        go_on(number, begun)
        sent, finished[number] = finished[number], 0.0
        took = costs.message_s + costs.lease_s
        took += sent * (costs.case_s + costs.row_bytes / 1e6 * costs.mb_s)
        driver_free = begun + took
        go_on(number, driver_free)
        given = min(left, max(0.0, room - has[number]))
        left -= given
        has[number] += given
        seen.driver_s += took
        seen.reports += 1
        seen.seconds = driver_free
        if left > 1e-6 or has[number] > 1e-6 or finished[number] > 1e-6:
            heapq.heappush(due, (max(driver_free, begun + pace), number))
    return seen


def _row(seen: Seen, cases: int, workers: int, endpoint: Endpoint, costs: Costs) -> str:
    speed = cases / seen.seconds
    workers_cpu = seen.busy_s / (workers * seen.seconds)
    used = 0.0
    if endpoint.calls is not None:
        used = speed * CALLS * endpoint.seconds / endpoint.calls
    driver_cpu = seen.driver_s / seen.seconds
    parts = {"workers' CPU": workers_cpu, "the endpoint": used, "the driver's CPU": driver_cpu}
    bound = max(parts, key=lambda name: parts[name])
    return (
        f"| {workers} | {speed:,.0f} | {seen.seconds / 3600:.2f} | {workers_cpu:.0%} | {used:.0%} "
        f"| {driver_cpu:.0%} | {speed * costs.disk_bytes / 1e6:.1f} | {bound} |"
    )


def _shown(costs: Costs) -> list[tuple[str, str]]:
    return [
        ("CPU a verdict in a worker", f"{1e3 * costs.verdict_s:.2f} ms"),
        ("CPU a case at the driver", f"{1e3 * costs.case_s:.3f} ms"),
        ("CPU of a report of a worker at the driver", f"{1e3 * costs.message_s:.2f} ms"),
        ("CPU of a MB of rows that comes to the driver", f"{1e3 * costs.mb_s:.1f} ms"),
        ("CPU of the book of leases, a report", f"{1e6 * costs.lease_s:.0f} µs"),
        ("rows of a case on their way", f"{costs.row_bytes / 1e3:.1f} kB"),
        ("a case in the record", f"{costs.disk_bytes / 1e3:.1f} kB"),
        ("writing a case, wall time with commits", f"{1e3 * costs.written_s:.3f} ms"),
    ]


def _measured(verdicts: int, *, with_ray: bool) -> Costs:
    lease = next(iter(report_costs().values()))
    message, mb = _ray_costs() if with_ray else (MEASURED_MESSAGE_S, MEASURED_MB_S)
    with tempfile.TemporaryDirectory(prefix="safejury-bench-") as place:
        folder = Path(place)
        took = _run(verdicts, folder)
        cases = _stored(folder / "runs" / "run" / "record.sqlite")
        case_s, written_s, size = asyncio.run(_written(cases, folder / "again"))
        disk = (folder / "again" / "record.sqlite").stat().st_size
    return Costs(
        took["cpu_s"] / verdicts, case_s, message, lease, mb, size, disk / verdicts, written_s
    )


def _run(verdicts: int, folder: Path) -> dict[str, float]:
    with Popen([sys.executable, "-m", "safejury.testing"], stdout=PIPE, text=True) as server:
        assert server.stdout is not None
        options = SimpleNamespace(
            litellm=None,
            base_url=server.stdout.readline().strip(),
            verdicts=verdicts,
            in_flight=100,
            protocol="vote",
            images=None,
        )
        try:
            return measure(cast("argparse.Namespace", options), folder)
        finally:
            server.terminate()


@dataclass(slots=True)
class _Rows:
    calls: list[StoredCall]
    entries: list[StoredEntry]
    result: str


def _stored(path: Path) -> dict[str, _Rows]:
    """Return the rows of each case of a record."""
    with closing(sqlite3.connect(path)) as database:
        found = {
            case_id: _Rows([], [], result)
            for case_id, result in database.execute("SELECT case_id, result FROM cases")
        }
        for row in database.execute("SELECT call_id, key, completion FROM calls"):
            name = row[0]
            while name not in found:
                name = name.rpartition("/")[0]
            found[name].calls.append(row)
        for row in database.execute("SELECT * FROM entries ORDER BY case_id, number"):
            found[row[0]].entries.append(row)
    return found


async def _written(cases: dict[str, _Rows], folder: Path) -> tuple[float, float, float]:
    """Write cases as a driver does; return seconds of CPU and of wall time, and bytes, a case."""
    groups = list(cases.items())
    packed = [
        msgspec.msgpack.encode(
            [(name, rows.calls, rows.entries, rows.result) for name, rows in part]
        )
        for part in (groups[at : at + 25] for at in range(0, len(groups), 25))
    ]
    kind = list[tuple[str, list[StoredCall], list[StoredEntry], str]]
    began, started = time.process_time(), time.perf_counter()
    async with open_record(folder, {}, {}) as record:
        for part in packed:
            with record.together():
                for name, calls, entries, result in msgspec.msgpack.decode(part, type=kind):
                    msgspec.msgpack.encode(entries[0])  # as large as a trial that is given
                    for call in calls:
                        record.write_stored_call(call)
                    for entry in entries:
                        record.write_stored_entry(entry)
                    record.write_result(name, msgspec.json.decode(result, type=CaseResult))
            await asyncio.sleep(0)
    number = len(cases)
    cpu, wall = time.process_time() - began, time.perf_counter() - started
    return cpu / number, wall / number, sum(map(len, packed)) / number


def _ray_costs() -> tuple[float, float]:
    """Return the CPU of two calls of an actor, and of a MB that one returns."""
    ray = import_extra("ray", "ray")
    ray.init(
        address="local",
        num_cpus=1,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
    )

    class Answering:
        async def take(self, size: int) -> bytes:
            return b"x" * size

        async def give(self, data: bytes) -> None:
            del data

    actor: Any = ray.remote(num_cpus=0)(Answering).remote()

    async def timed(size: int) -> float:
        for _ in range(20):
            await actor.take.remote(size)
        began = time.process_time()
        for _ in range(300):
            actor.give.remote(b"y" * 1000)
            await actor.take.remote(size)
        return (time.process_time() - began) / 300

    small, large = asyncio.run(timed(1000)), asyncio.run(timed(500_000))
    ray.shutdown()
    return small, max(0.0, large - small) / 0.499


if __name__ == "__main__":
    main()
