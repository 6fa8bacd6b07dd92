"""Decides a finished run again from Python."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ...assembly.jury import rule_keys
from ...deliberation import JuryCard, Rule, RuleFunction, register_rule
from ..trust.replay import Changes, Replay, replay_run
from ._result import Result


def replay(
    run: str | Path | Result,
    *,
    protocol: Mapping[str, object] | None = None,
    rule: str | Rule | RuleFunction | None = None,
    card: JuryCard | str | Path | None = None,
    without: Sequence[str] = (),
    round: Literal[0] | None = None,
) -> Replay:
    """Decide a finished run again on other terms; no model is called, and nothing is written.

    Example:
        >>> again = sj.replay("runs/first", rule="any", without=["sceptic"])
        >>> again.counts
        {('safe', 'safe'): 61, ('safe', 'unsafe'): 3, ('unsafe', 'unsafe'): 5}

    Args:
        run: The run, or its directory.
        protocol: What is different in the protocol, with the keys of `jury.protocol` in a config,
            such as `{"rule": "k_of_n", "k": 2}` or `{"stop": "curtailed"}`.
        rule: Another rule: a name, a rule with its settings, or a function of your own.
        card: A jury card or its file, for rules that decide by one; that of the run, or of
            `rule`, unless given.
        without: Seats whose ballots do not count.
        round: 0 counts only the ballots before any talk.

    Returns:
        The cases whose finding changed, and figures before and after. What the record does not
        tell is `unknown`: a juror that was never asked, a talk that was not held.

    Raises:
        ConfigurationError: A setting does not fit.
        RecordChangedError: A case was changed after it was recorded.
        RecordError: There is no run that can be read.
    """
    keys: dict[str, Any] = {**(protocol or {})}
    if isinstance(rule, Rule):
        keys |= {"rule": rule.name, **rule_keys(rule)}
        card = rule.card if card is None else card
    elif rule is not None:
        keys["rule"] = rule if isinstance(rule, str) else register_rule(rule)
    settings = [f"jury.protocol.{key}={json.dumps(value)}" for key, value in keys.items()]
    known = card if isinstance(card, JuryCard) else None
    if card is not None and known is None:
        settings.append(f"jury.card={json.dumps(str(card))}")
    directory = run.directory if isinstance(run, Result) else Path(run)
    changes = Changes(tuple(settings), tuple(without), round is not None, known)
    return replay_run(directory, changes)
