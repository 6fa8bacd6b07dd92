"""Reads the total cost of a run from its record, and puts it into words."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...agents import TalkArm
from ...common import escape_line
from ...common.text import count, dollars, gpu_hours, many
from ..trials import case_of, is_of_audit
from ._cost_summary import CostTotals, Estimated, Limits, RunCost, ServerTime

if TYPE_CHECKING:
    from ._summary import RunSummary  # a run begins without it

Rows = Callable[..., Iterator[tuple[Any, ...]]]
"""Runs an SQL query and yields its rows."""

COST_COLUMNS = (
    *("spent_replies", "spent_tokens", "spent_usd", "spent_unknown_prices"),
    *("spent_unfinished_tokens", "spent_unfinished_usd"),
    *("spent_replaced_tokens", "spent_replaced_usd"),
    *("server_gpu_hours", "server_usd"),
)
"""CSV columns that `csv_columns` fills, besides those of estimates."""
CASE_OF = ("case_of", 1, case_of)
IS_OF_AUDIT = ("is_of_audit", 1, is_of_audit)
"""The functions of SQL that the queries here need, as `create_function` takes them."""
_MAY_BE = " OR ".join(f"call_id GLOB '*/{arm}/*'" for arm in TalkArm)
_OF_AUDIT = f"(({_MAY_BE}) AND is_of_audit(call_id))"
"""SQL for whether a call is one of a talk audit."""
_ESTIMATED = f"""
SELECT target, json_extract(result, '$.condition'), count(*), sum(tokens), total(usd),
       sum(usd IS NULL)
FROM charges LEFT JOIN cases USING (case_id) WHERE charges.kind IN ('estimated', 'open')
    AND NOT {_OF_AUDIT}
GROUP BY 1, 2
"""
# Records of earlier versions may hold a usage or a cost below 0.
TOKENS_USED = """
    max(0, coalesce(json_extract(completion, '$.usage.prompt_tokens'), 0))
    + max(0, coalesce(json_extract(completion, '$.usage.completion_tokens'), 0))
"""
"""SQL for the tokens that a row of `calls` took."""
# The answer of an agent is kept beside the calls that it made for it, and took none itself.
_REPLY = "coalesce(json_extract(completion, '$.attempts'), 1) > 0"
_USD = "max(0.0, json_extract(completion, '$.cost_usd'))"
_UNPRICED = "json_extract(completion, '$.cost_usd') IS NULL"
_REPLIES = f"sum({_REPLY})"
_USED = f"sum({TOKENS_USED}), total({_USD}), sum({_UNPRICED})"
# Its limit lets SQLite group these numbers, rather than whole completions.
_EACH = f"""
SELECT case_of(call_id) AS id, {_REPLY} AS replies, {TOKENS_USED} AS tokens, {_USD} AS usd,
       {_UNPRICED} AS unpriced
FROM calls WHERE NOT {_OF_AUDIT} LIMIT -1
"""
_CALLS = f"""
SELECT spent.*, cases.case_id IS NOT NULL,
       json_extract(result, '$.usage.prompt_tokens')
           + json_extract(result, '$.usage.completion_tokens') - {{own_tokens}},
       coalesce(json_extract(result, '$.cost_usd_known'), json_extract(result, '$.cost_usd'))
           - {{own_usd}}
FROM (SELECT id, sum(replies), sum(tokens), total(usd), sum(unpriced) FROM ({_EACH})
      GROUP BY 1) AS spent
LEFT JOIN cases ON case_id = id
"""
# A result counts what a function took, and no row of `calls` does.
_OWN = """
coalesce((SELECT {said} FROM entries
          WHERE entries.case_id = id AND number = 0 AND target IN ({functions})), 0)
"""
_OWN_TOKENS = """
json_extract(body, '$.case.response.usage.prompt_tokens')
    + json_extract(body, '$.case.response.usage.completion_tokens')
"""
_OWN_USD = "json_extract(body, '$.case.response.cost_usd')"
_OWN_COST = f"""
SELECT total({_OWN_USD}), coalesce(sum({_OWN_USD} IS NULL), 0)
FROM entries JOIN cases USING (case_id) WHERE number = 0 AND target IN ({{functions}})
"""
_TOTAL = f"SELECT {_USED} FROM calls"
_AUDITED = f"SELECT {_REPLIES}, {_USED} FROM calls WHERE {_OF_AUDIT}"
_AUDIT_CHARGES = f"""
SELECT 0, sum(tokens), total(usd), sum(usd IS NULL) FROM charges WHERE {_OF_AUDIT}
"""
_SERVERS = """
SELECT server, sum(seconds * gpus) / 3600, sum(usd) FROM servers GROUP BY 1 ORDER BY 1
"""
_CHARGED = "SELECT coalesce(sum(tokens), 0), total(usd) FROM charges"
_CHARGES = """
SELECT charges.case_id, charges.kind, count(*), sum(tokens), total(usd), sum(usd IS NULL),
       cases.case_id IS NOT NULL
FROM charges LEFT JOIN cases USING (case_id) GROUP BY 1, 2
"""


@dataclass(slots=True)
class _Sum:
    replies: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0

    def add(self, replies: int, tokens: int, usd: float, unpriced: int) -> None:
        self.replies += replies
        self.tokens += tokens
        self.usd += usd
        self.unpriced += unpriced

    def totals(self) -> CostTotals:
        # Without the last digits, which depend on the order of adding.
        return CostTotals(self.replies, self.tokens, round(self.usd, 12), self.unpriced)


@dataclass(slots=True)
class _Account:
    whole: _Sum = field(default_factory=_Sum)
    unfinished: defaultdict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    replaced: _Sum = field(default_factory=_Sum)
    audit: _Sum = field(default_factory=_Sum)
    estimated: _Sum = field(default_factory=_Sum)
    estimated_calls: int = 0

    def add_calls(self, rows: Iterable[tuple[Any, ...]]) -> None:
        for case_id, replies, tokens, usd, unpriced, is_finished, known, known_usd in rows:
            self.whole.add(replies, tokens, usd, unpriced)
            if not is_finished:
                self.unfinished[case_id].add(replies, tokens, usd, unpriced)
                continue
            # A case of partly unknown usage counts all tokens as its own.
            beyond = 0 if known is None else max(0, tokens - known)
            beyond_usd = 0.0 if known_usd is None else max(0.0, usd - known_usd)
            self.replaced.add(0, beyond, beyond_usd, 0)

    def add_audit(self, rows: Iterable[tuple[Any, ...]]) -> None:
        for replies, tokens, usd, unpriced in rows:
            self.audit.add(replies or 0, tokens or 0, usd or 0.0, unpriced or 0)

    def add_charges(self, rows: Iterable[tuple[Any, ...]]) -> None:
        for case_id, kind, calls, tokens, usd, unpriced, is_finished in rows:
            # A reply that was asked for again, or one of a run that was merged in vain.
            is_reply = kind.partition(":")[0] == "forgotten"
            replies = calls if is_reply else 0
            self.whole.add(replies, tokens, usd, unpriced)
            if not is_reply:
                self.estimated_calls += calls
                self.estimated.add(0, tokens, usd, unpriced)
            if not is_finished:
                self.unfinished[case_id].add(replies, tokens, usd, unpriced)
            elif is_reply:
                self.replaced.add(replies, tokens, usd, unpriced)


def read_estimated(rows: Rows) -> dict[tuple[str, str] | None, Estimated]:
    """Return estimated charges by target and condition; those for unfinished cases under None.

    Args:
        rows: Reads a record that keeps charges, on a connection that knows `IS_OF_AUDIT`.
    """
    return {
        None if target is None else (target, condition or ""): Estimated(
            int(calls), int(tokens), float(usd), int(unpriced)
        )
        for target, condition, calls, tokens, usd, unpriced in rows(_ESTIMATED)
    }


def read_total(rows: Rows, *, has_charges: bool, has_servers: bool) -> tuple[int, float, int]:
    """Return the tokens, US dollars and calls of unknown price of a whole record.

    Args:
        rows: Reads the record.
        has_charges: Whether it keeps charges, which count as well.
        has_servers: Whether it keeps server time, which counts as well.
    """
    tokens, usd, unknown = next(rows(_TOTAL))
    charged, charged_usd = next(rows(_CHARGED)) if has_charges else (0, 0.0)
    usd += sum(cost for _, _, cost in rows(_SERVERS)) if has_servers else 0.0
    return int(tokens or 0) + charged, usd + charged_usd, int(unknown or 0)


def read_run_cost(
    rows: Rows,
    *,
    has_charges: bool,
    limits: Limits,
    served: Mapping[str, tuple[str, ...]] | None,
    functions: Iterable[str] = (),
) -> RunCost:
    """Return the cost of a run's calls, as its budget counts it.

    Args:
        rows: Reads the record, on a connection that knows `CASE_OF`.
        has_charges: Whether the record holds charges.
        limits: The cost limits of the run.
        served: The targets that only one server ran, by server; None where the record does
            not keep server time.
        functions: The targets that are functions.
    """
    account, named = _Account(), tuple(sorted(functions))
    account.add_calls(_calls(rows, named))
    account.add_audit(rows(_AUDITED))
    audit = account.audit
    account.whole.add(audit.replies, audit.tokens, audit.usd, audit.unpriced)
    if has_charges:
        account.add_charges(rows(_CHARGES))  # those of an audit as well
        account.add_audit(rows(_AUDIT_CHARGES))
    servers = () if served is None else tuple(_servers(rows(_SERVERS), served))
    account.whole.add(0, 0, sum(one.usd for one in servers), 0)
    unfinished = _Sum()
    for part in account.unfinished.values():
        unfinished.add(part.replies, part.tokens, part.usd, part.unpriced)
    guessed = account.estimated.totals()
    return RunCost(
        total=account.whole.totals(),
        estimated=Estimated(account.estimated_calls, guessed.tokens, guessed.usd, guessed.unpriced),
        unfinished=unfinished.totals(),
        replaced=account.replaced.totals(),
        limits=limits,
        unfinished_cases=tuple(sorted(account.unfinished)),
        servers=servers,
        functions=named,
        talk_audit=audit.totals() if audit.replies or audit.tokens else None,
    )


def read_own_cost(rows: Rows, functions: Iterable[str]) -> float | None:
    """Return the US dollars that functions said they took for finished cases.

    None where one said nothing. No figure of `read_run_cost` has them.

    Args:
        rows: Reads the record.
        functions: The targets that are functions.
    """
    named = tuple(functions)
    if not named:
        return 0.0
    usd, unknown = next(rows(_OWN_COST.format(functions=", ".join("?" * len(named))), *named))
    return None if unknown else float(usd)


def _calls(rows: Rows, functions: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    if not functions:
        return rows(_CALLS.format(own_tokens=0, own_usd=0))
    # Numbered, since both parts name them all.
    names = ", ".join(f"?{number}" for number in range(1, len(functions) + 1))
    own_tokens = _OWN.format(said=_OWN_TOKENS, functions=names)
    own_usd = _OWN.format(said=_OWN_USD, functions=names)
    return rows(_CALLS.format(own_tokens=own_tokens, own_usd=own_usd), *functions)


def _servers(
    rows: Iterable[tuple[Any, ...]], served: Mapping[str, tuple[str, ...]]
) -> Iterator[ServerTime]:
    for server, hours, usd in rows:
        yield ServerTime(server, served.get(server, ()), float(hours), float(usd))


def with_server_time(summary: "RunSummary") -> "RunSummary":
    """Add each server's time to the target that only it ran.

    The time of a server that several targets or conditions share is in `RunCost.servers` only.
    """
    if summary.spent is None or not summary.spent.servers:
        return summary
    rows = Counter(target.target for target in summary.targets)
    times = {
        one.targets[0]: one
        for one in summary.spent.servers
        if len(one.targets) == 1 and rows[one.targets[0]] == 1
    }
    targets = tuple(
        replace(target, server_time=times.get(target.target)) for target in summary.targets
    )
    return replace(summary, targets=targets)


def groups_of(case_ids: Iterable[str], targets: Iterable[str]) -> set[tuple[str, str]]:
    """Parse the target and condition out of case ids."""
    names = "|".join(re.escape(name) for name in sorted(targets, key=len, reverse=True))
    pattern = re.compile(rf".*/({names})/\d+(?:/([^/]*))?", re.DOTALL)
    found = (pattern.fullmatch(case_id) for case_id in case_ids)
    return {(match[1], match[2] or "") for match in found if match is not None}


def describe_cost(spent: RunCost) -> str:
    """Return one sentence on the cost of a run, and the parts that no target's figures include."""
    guessed = spent.estimated
    parts = [f"{many(spent.total.replies, 'reply', 'replies')}, {_amount(spent.total)}"]
    if spent.servers:
        parts.append(_server_words(spent.servers))
    if guessed.calls:
        parts.append(f"{count(guessed.tokens)} tokens and {dollars(guessed.usd)} by estimate")
    if spent.unfinished.tokens or spent.unfinished.replies:
        parts.append(f"{_amount(spent.unfinished)} for unfinished cases")
    if spent.talk_audit is not None:
        parts.append(f"{_amount(spent.talk_audit)} for the talk audit")
    if spent.replaced.tokens:
        parts.append(f"{_amount(spent.replaced)} for attempts replaced by a retry")
    whole, *of_it = parts
    if spent.functions:
        whole += f", without what {_named(spent.functions)} took"
    return f"Whole run: {whole}{'; of this ' if of_it else ''}{', '.join(of_it)}."


def _named(functions: Sequence[str]) -> str:
    names = " and ".join(escape_line(name) for name in functions)
    return f"the {'function' if len(functions) == 1 else 'functions'} {names}"


def _server_words(servers: Sequence[ServerTime]) -> str:
    usd, hours = sum(one.usd for one in servers), sum(one.gpu_hours for one in servers)
    each = ", ".join(f"{escape_line(one.server)} {dollars(one.usd)}" for one in servers)
    return f"{dollars(usd)} for {gpu_hours(hours)} of servers ({each})"


def _amount(spent: CostTotals) -> str:
    unpriced = f" and {many(spent.unpriced, 'unknown price')}" if spent.unpriced else ""
    return f"{count(spent.tokens)} tokens, {dollars(spent.usd)}{unpriced}"


def exceeded(spent: RunCost) -> Iterator[str]:
    """Yield a sentence for each cost limit that was exceeded."""
    limits, total = spent.limits, spent.total
    why = "calls took more than earlier ones suggested"
    if spent.servers:
        why = f"{why}, or servers ran on while started cases were finished"
    if limits.max_tokens_total is not None and total.tokens > limits.max_tokens_total:
        beyond = count(total.tokens - limits.max_tokens_total)
        yield (
            f"limits.max_tokens_total of {count(limits.max_tokens_total)} was exceeded by "
            f"{beyond} tokens: {why}, or the limit was lowered."
        )
    if limits.max_cost_usd is not None and total.usd > limits.max_cost_usd:
        beyond = dollars(total.usd - limits.max_cost_usd)
        yield (
            f"limits.max_cost_usd of {dollars(limits.max_cost_usd)} was exceeded by {beyond}: "
            f"{why}, or the limit was lowered."
        )


def csv_columns(spent: RunCost) -> Mapping[str, float | int]:
    """Return the cost cells of the run's CSV row."""
    return {
        "spent_replies": spent.total.replies,
        "spent_tokens": spent.total.tokens,
        "spent_usd": spent.total.usd,
        "spent_unknown_prices": spent.total.unpriced,
        "spent_unfinished_tokens": spent.unfinished.tokens,
        "spent_unfinished_usd": spent.unfinished.usd,
        "spent_replaced_tokens": spent.replaced.tokens,
        "spent_replaced_usd": spent.replaced.usd,
        "server_gpu_hours": sum(one.gpu_hours for one in spent.servers),
        "server_usd": sum(one.usd for one in spent.servers),
        "estimated_calls": spent.estimated.calls,
        "estimated_tokens": spent.estimated.tokens,
        "estimated_cost_usd": spent.estimated.usd,
    }
