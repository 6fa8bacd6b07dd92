"""Sends spans, events and metrics of a run by OpenTelemetry (extra `otel`)."""

from ._open import Telemetry, open_telemetry

__all__ = [
    "Telemetry",
    "open_telemetry",
]
