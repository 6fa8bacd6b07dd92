"""Specifies, starts, watches and stops one vLLM server."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._api import ServerState, state_of
    from ._causes import explain_log
    from ._installed import installed_vllm
    from ._model import check_model, model_identity
    from ._server import PROBE_S, ManagedServer
    from ._spec import VllmSpec

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_api": ["ServerState", "state_of"],
            "_causes": ["explain_log"],
            "_installed": ["installed_vllm"],
            "_model": ["check_model", "model_identity"],
            "_server": ["PROBE_S", "ManagedServer"],
            "_spec": ["VllmSpec"],
        },
    )

__all__ = [
    "PROBE_S",
    "ManagedServer",
    "ServerState",
    "VllmSpec",
    "check_model",
    "explain_log",
    "installed_vllm",
    "model_identity",
    "state_of",
]
