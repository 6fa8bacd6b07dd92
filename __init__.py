"""safejury: measure the safety of multimodal models with a jury of models.

    import safejury as sj

    jury = sj.Jury.of("clinician", "lawyer", "sceptic", model=sj.endpoint(URL, "qwen"))
    verdict = await sj.judge("question", "answer", jury=jury)
    result = await sj.evaluate("mini", targets=[sj.model("openai/gpt-4o")], jury=jury)

The names here are those that a researcher needs; docs/python.md introduces them. More is in
the subpackages `safejury.datasets`, `safejury.models`, `safejury.targets`, `safejury.agents`,
`safejury.deliberation` and `safejury.evaluation`, and `safejury.testing` has a scripted server.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .agents import (
        Ballot,
        BallotOutcome,
        Finding,
        Persona,
        PersonaSampling,
        bundled_personas,
        load_persona,
    )
    from .common import (
        ConfigurationError,
        DatasetError,
        FirstContactError,
        ModelError,
        OutageError,
        OutOfBudgetError,
        RecordChangedError,
        RecordError,
        SafejuryError,
    )
    from .datasets import Intent, Media, Query, load_dataset, load_taxonomy, read_media
    from .deliberation import (
        CaseTranscript,
        Cost,
        Decision,
        Judgment,
        Jury,
        JuryCard,
        Protocol,
        Rule,
        Verdict,
        Votes,
        read_card,
        seat,
    )
    from .evaluation import (
        Cases,
        Comparison,
        Replay,
        Result,
        ReviewCase,
        RunSummary,
        TargetSummary,
        calibrate,
        endpoint,
        evaluate,
        evaluate_sync,
        judge,
        judge_sync,
        load,
        merge,
        model,
        replay,
        review_sample,
        target,
    )
    from .evaluation.api import compare
    from .targets import Response, ResponseOutcome

__version__ = "0.1.0"

_HOMES = {
    "agents": (
        *("Ballot", "BallotOutcome", "Finding", "Persona", "PersonaSampling"),
        *("bundled_personas", "load_persona"),
    ),
    "common": (
        *("ConfigurationError", "DatasetError", "FirstContactError", "ModelError"),
        *("OutOfBudgetError", "OutageError", "RecordChangedError", "RecordError", "SafejuryError"),
    ),
    "datasets": ("Intent", "Media", "Query", "load_dataset", "load_taxonomy", "read_media"),
    "deliberation": (
        *("CaseTranscript", "Cost", "Decision", "Judgment", "Jury", "JuryCard", "Protocol", "Rule"),
        *("Verdict", "Votes", "read_card", "seat"),
    ),
    "evaluation": (
        *("Cases", "Comparison", "Replay", "Result", "ReviewCase", "RunSummary", "TargetSummary"),
        *("calibrate", "endpoint", "evaluate", "evaluate_sync", "judge", "judge_sync", "load"),
        *("merge", "model", "replay", "review_sample", "target"),
    ),
    "evaluation.api": ("compare",),  # where `compare` is no folder
    "targets": ("Response", "ResponseOutcome"),
}
_FOLDERS = (
    *("agents", "assembly", "cli", "common", "datasets", "deliberation", "evaluation"),
    *("generation", "models", "targets", "testing"),
)

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    _HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

    def __getattr__(name: str) -> object:
        """Import a public name, or a subpackage, when it is first used."""
        from importlib import import_module

        if name in _FOLDERS:
            return import_module(f"{__name__}.{name}")
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    """List the public names, for completion."""
    return sorted((*__all__, *_FOLDERS))


__all__ = [
    "Ballot",
    "BallotOutcome",
    "CaseTranscript",
    "Cases",
    "Comparison",
    "ConfigurationError",
    "Cost",
    "DatasetError",
    "Decision",
    "Finding",
    "FirstContactError",
    "Intent",
    "Judgment",
    "Jury",
    "JuryCard",
    "Media",
    "ModelError",
    "OutOfBudgetError",
    "OutageError",
    "Persona",
    "PersonaSampling",
    "Protocol",
    "Query",
    "RecordChangedError",
    "RecordError",
    "Replay",
    "Response",
    "ResponseOutcome",
    "Result",
    "ReviewCase",
    "Rule",
    "RunSummary",
    "SafejuryError",
    "TargetSummary",
    "Verdict",
    "Votes",
    "__version__",
    "bundled_personas",
    "calibrate",
    "compare",
    "endpoint",
    "evaluate",
    "evaluate_sync",
    "judge",
    "judge_sync",
    "load",
    "load_dataset",
    "load_persona",
    "load_taxonomy",
    "merge",
    "model",
    "read_card",
    "read_media",
    "replay",
    "review_sample",
    "seat",
    "target",
]
