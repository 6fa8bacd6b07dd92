"""Words for the estimate of a run."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from ...assembly.config import LimitsConfig
from ...common import ConfigurationError, escape_line
from ...common.text import count, dollars, many
from ...targets import ServerUse
from ._estimate import Calls, CaseEstimator, find_prices, unbound_note, unpriced
from ._media_count import MediaCount
from ._plan import RunPlan


async def estimate(plan: RunPlan, finished: Container[str] = ()) -> tuple[list[str], str | None]:
    """Return the lines of a run's estimate, and why its budget cannot hold.

    Nothing is sent, and no GPU is needed. The second is None where the budget can.

    Args:
        plan: The run.
        finished: Ids of cases that are finished already.
    """
    prices = await find_prices(plan.models)
    media = MediaCount(plan)
    left = (trial for trial in plan.trials() if trial.case_id not in finished)
    expected = (await CaseEstimator.of(plan, prices)).run(media.counted(left))
    lines, problem = list(_lines(expected, plan.limits, hourly_costs(plan.servers))), None
    lines += _agent_lines(plan)
    if media.note is not None:
        lines.append(media.note)
    try:
        if unbound := unpriced(plan.limits, prices):
            lines.append(unbound_note(unbound))
    except ConfigurationError as error:
        problem = str(error)
    return [escape_line(line) for line in lines], problem


def hourly_costs(servers: Iterable[ServerUse]) -> dict[ServerUse, float]:
    """Return the hourly costs of servers with a price, in US dollars."""
    return {
        use: use.per_gpu_hour * (use.spec.parallel if use.spec.gpus is None else use.spec.gpus)
        for use in servers
        if use.per_gpu_hour is not None
    }


def _agent_lines(plan: RunPlan) -> Iterator[str]:
    """Yield a line for each agent on the jury: how often it calls is not known beforehand."""
    alone = plan.jury.own_callers
    for seat, agent in plan.jury.agent_factories.items():
        if seat in alone:
            yield f"{seat} ({agent.place}): calls of its own, which are not known beforehand"
        else:
            yield f"{seat} is an agent ({agent.place}), and may make more calls than a juror"


def server_lines(costs: Mapping[ServerUse, float]) -> Iterator[str]:
    """Yield a line on the cost of each server; how long it will run is not known."""
    for use, usd in costs.items():
        yield (
            f"server {use.name} ({use.spec.served_name}): {dollars(usd)} an hour from its start "
            "to its end; for how long is not known beforehand"
        )


def _lines(
    expected: Sequence[Calls], limits: LimitsConfig, hourly: Mapping[ServerUse, float]
) -> Iterator[str]:
    if not expected:
        yield "no model is called"
        return
    for part in expected:
        yield f"{part.who} ({part.spec.model}): {_amounts(part)}"
    known = [part.usd for part in expected if part.usd is not None]
    usd = (sum(low for low, _ in known), sum(high for _, high in known)) if known else None
    calls, tokens = _sum(part.calls for part in expected), _sum(part.tokens for part in expected)
    total = _said(calls, tokens, usd)
    if known and len(known) < len(expected):
        total = f"{total} plus models of unknown price"
    if hourly:
        total = f"{total} plus server time"
    yield from server_lines(hourly)
    yield f"together: {total}; calls that fail or cannot be read are made again on top"
    if limits.max_tokens_total is not None:
        yield _limit("max_tokens_total", limits.max_tokens_total, tokens, "tokens")
    if limits.max_cost_usd is not None and usd is not None:
        what = "US dollars" if len(known) == len(expected) else "US dollars, of known prices alone,"
        if hourly:
            what = f"{what.removesuffix(',')}, without the time of servers,"
        yield _limit("max_cost_usd", limits.max_cost_usd, usd, what)
    if limits.max_cost_usd is not None and sum(hourly.values()) > 0:
        hours = limits.max_cost_usd / sum(hourly.values())
        yield f"limits.max_cost_usd pays {hours:.2g} hours of these servers, if they run at once"


def _limit(name: str, most: float, expected: tuple[float, float], what: str) -> str:
    if expected[1] <= most:
        verdict = "covers it"
    elif expected[0] > most:
        verdict = "does not cover it: the run will stop there"
    else:
        verdict = "may stop the run before its end"
    return f"limits.{name} of {_plain(most)} {what} {verdict}"


def _plain(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def _sum(ranges: Iterable[tuple[int, int]]) -> tuple[int, int]:
    known = list(ranges)
    return sum(low for low, _ in known), sum(high for _, high in known)


def _amounts(part: Calls) -> str:
    return _said(part.calls, part.tokens, part.usd)


def _said(calls: tuple[int, int], tokens: tuple[int, int], usd: tuple[float, float] | None) -> str:
    number = many(calls[1], "call") if calls[0] == calls[1] else f"{_span(calls)} calls"
    if usd is None:
        cost = "price unknown"
    elif usd[0] == usd[1]:
        cost = dollars(usd[1])
    else:
        cost = f"{dollars(usd[0])} to {dollars(usd[1])}"
    return f"{number}, {_span(tokens)} tokens, {cost}"


def _span(range_: tuple[int, int]) -> str:
    return f"{count(range_[0])} to {count(range_[1])}"
