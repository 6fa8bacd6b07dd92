"""Explains from its log why a vLLM server did not start."""

import re
from dataclasses import dataclass

from ...common import escape_line
from ...models import redactor
from ._installed import NOT_INSTALLED
from ._spec import VllmSpec

_PREFIX = re.compile(
    r"^(\([A-Za-z_][^)]*pid=\d+\) ?)?"  # (EngineCore_0 pid=123)
    r"((DEBUG|INFO|WARNING|ERROR|CRITICAL) [\d-]+ [\d:.]+ \[[^\]]*\] ?)?"
)
_ERROR = re.compile(r"(?<![\w.])[\w.]*(?:Error|Exception|Interrupt): *\S.*|\berror: \S.*")
_LONGEST = 300
_LINE_READ = 2000
"""Characters of a line in which a cause is looked for: work may grow with their square."""
_WRAPPER = re.compile(r"Engine core initialization failed|EngineDeadError|See root cause above")
# Calls that were answered, and the list of all arguments there are.
_NOISE = re.compile(r'INFO: +[\d.]+:\d+ - "[A-Z]+ |usage: |\[(--|model_tag)')


@dataclass(frozen=True, slots=True)
class _Cause:
    """A pattern in a log, and what it means.

    `say` is a template: `{spec.model}` and `{spec.interpreter}` are the server's,
    `{0}` and so on what the groups of the pattern found.
    """

    pattern: re.Pattern[str]
    say: str

    def explain(self, log: str, spec: VllmSpec) -> str | None:
        """Return the explanation, None if the log does not match."""
        found = self.pattern.search(log)
        if found is None:
            return None
        groups = (group.strip() for group in found.groups(""))
        return self.say.format(*groups, spec=spec)


def _cause(pattern: str, say: str) -> _Cause:
    return _Cause(re.compile(pattern, re.IGNORECASE), say)


_PORT_TAKEN = _cause(
    r"address already in use|error while attempting to bind|\[Errno 98\]",
    "the port is taken; give it another, or leave `port:` out",
)
_NOT_ON_HUB = (
    "there is no model {spec.model!r} on the hub, or it is private; check the name, or set HF_TOKEN"
)

# The first match is reported, so the more specific ones come first: vLLM ends with an
# error of the API server whatever went wrong in its engine.
_CAUSES = (
    _cause(r"No module named ['\"]?vllm\b", NOT_INSTALLED),
    _cause(
        r"error: unrecognized arguments: ([^\n]*)",
        "this vLLM does not know the argument {0}; correct it under `args:`",
    ),
    _cause(
        r"error: argument (--limit-mm-per-prompt)[^:\n]*: ([^\n]*)",
        "the argument {0} has a value that vLLM does not take, such as limit-mm-per-prompt: "
        "{{image: 2}}: {1}",
    ),
    _cause(
        r"error: argument (--[\w.-]+)[^:\n]*: ([^\n]*)",
        "the argument {0} has a value that vLLM does not take: {1}",
    ),
    _PORT_TAKEN,
    _cause(
        r"Free memory on device[^\n]*less than desired[^\n]*",
        "other programs use the GPU's memory; stop them or lower gpu-memory-utilization under "
        "`args:`",
    ),
    _cause(
        r"Available memory on node[^\n]*less than desired[^\n]*",
        "other programs use the machine's memory; stop them, set VLLM_CPU_KVCACHE_SPACE in `env:` "
        "or lower gpu-memory-utilization (the share of main memory, on the CPU) under `args:`",
    ),
    _cause(
        r"No available memory for the cache blocks",
        "the model leaves no memory for its KV cache; raise gpu-memory-utilization or take more "
        "GPUs (on the CPU: set VLLM_CPU_KVCACHE_SPACE in `env:`)",
    ),
    _cause(
        r"max seq len\s*\((\d+)\)[^\n]*KV\s*cache",
        "the model's context of {0} tokens needs more memory for its KV cache than there is; "
        "lower max-model-len or raise gpu-memory-utilization under `args:`",
    ),
    _cause(
        r"CUDA out of memory|OutOfMemoryError|CUDA error: out of memory|HIP out of memory",
        "the GPU's memory is too small; lower max-model-len, max-num-seqs or "
        "gpu-memory-utilization under `args:`, or take more GPUs",
    ),
    _cause(
        r"DefaultCPUAllocator: [^\n]*allocate memory|MemoryError\b|Cannot allocate memory",
        "the machine's memory is too small; lower max-model-len, or VLLM_CPU_KVCACHE_SPACE in "
        "`env:`",
    ),
    _cause(
        r"gated repo|GatedRepoError|403 Client Error",
        "the model {spec.model!r} on the hub is gated: accept its terms there, and set HF_TOKEN",
    ),
    _cause(r"RepositoryNotFoundError|404 Client Error|401 Client Error", _NOT_ON_HUB),
    _cause(
        r"LocalEntryNotFoundError|OfflineModeIsEnabled|couldn't connect to|"
        r"outgoing traffic has been disabled|Name or service not known|"
        r"Temporary failure in name resolution|Network is unreachable|MaxRetryError",
        "the model {spec.model!r} is not on this machine and the hub cannot be reached; fetch it "
        "first, or name a folder",
    ),
    _cause(
        r"is not a local folder and is not a valid model identifier|Repo id must|HFValidationError",
        _NOT_ON_HUB,
    ),
    _cause(
        r"\w*Error: ([^\n]*limit[-_]mm[-_]per[-_]prompt[^\n]*)",
        "its limits for pictures and sounds do not fit ({0}); correct limit-mm-per-prompt under "
        "`args:`",
    ),
    _cause(
        r"(Cannot find any model weights[^\n]*)",
        "the model has no weights; fetch it again or name another",
    ),
    _cause(
        r"Model architectures? (\[[^\]\n]*\]) [^\n]*not supported",
        "this vLLM cannot serve the architecture {0}; upgrade vLLM",
    ),
)


def explain_log(log_tail: str, spec: VllmSpec) -> str:
    """Return why the server failed and what to do, on one line.

    Args:
        log_tail: The end of its log.
        spec: What it was started with.
    """
    log = "\n".join(line[:_LINE_READ] for line in log_tail.splitlines())
    for cause in _CAUSES:
        if (found := cause.explain(log, spec)) is not None:
            return _shown(found)
    errors = [found[0] for line in _lines(log) if (found := _ERROR.search(line))]
    errors = [error for error in errors if not _WRAPPER.search(error)] or errors
    return _shown(errors[-1]) if errors else "the log does not say why"


def port_was_taken(log_tail: str) -> bool:
    """Return whether the log says that the port is already in use."""
    return _PORT_TAKEN.pattern.search(log_tail) is not None


def last_lines(log_tail: str, count: int) -> str:
    """Join the last lines of a log, without secrets and vLLM's prefixes."""
    return " | ".join(map(_shown, _lines(log_tail)[-count:]))


def _lines(text: str) -> list[str]:
    stripped = (_PREFIX.sub("", line).strip() for line in text.splitlines())
    return [line for line in stripped if line and not _NOISE.match(line)]


def _shown(text: str) -> str:
    line = redactor.redact(escape_line(text))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
