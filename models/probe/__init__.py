"""Probes what an endpoint can do."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._probe import probe_endpoint
    from ._result import Capability, CapabilityState, Probe
    from ._served_version import vllm_version

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_probe": ["probe_endpoint"],
            "_result": ["Capability", "CapabilityState", "Probe"],
            "_served_version": ["vllm_version"],
        },
    )

__all__ = [
    "Capability",
    "CapabilityState",
    "Probe",
    "probe_endpoint",
    "vllm_version",
]
