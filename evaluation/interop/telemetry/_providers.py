"""The providers of OpenTelemetry: the program's own, or some made of the environment."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points, version
from typing import Any, Literal

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider, get_logger_provider
from opentelemetry.metrics import MeterProvider, get_meter_provider
from opentelemetry.sdk._logs import LoggerProvider as OwnLoggers
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider as OwnMeters
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider as OwnTracers
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import TracerProvider

from ....common import ConfigurationError, install_command
from ....common.text import short_reason

Signal = Literal["traces", "metrics", "logs"]
CLOSING_S = 3.0
"""Most seconds for which the end of a run waits for what is still to be sent."""
_PROTOCOLS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}


@dataclass(frozen=True, slots=True)
class Providers:
    """Where telemetry goes.

    Attributes:
        tracers: Makes what records spans.
        loggers: Makes what records events.
        meters: Makes what records metrics.
        ours: Whether they were made for the run, and end with it.
    """

    tracers: TracerProvider
    loggers: LoggerProvider
    meters: MeterProvider
    ours: bool

    @classmethod
    def found(cls) -> "Providers":
        """Return those of the program that runs us, or some of our own by `OTEL_*` variables.

        Ours are not made the program's: AutoGen and others would send through them as well.

        Raises:
            ConfigurationError: An exporter is not installed, or cannot be made.
        """
        given = trace.get_tracer_provider()
        if isinstance(given, OwnTracers):
            return cls(given, get_logger_provider(), get_meter_provider(), ours=False)
        resource = _resource()
        # `close` ends them: at the program's exit they would wait for an endpoint that is down.
        tracers = OwnTracers(resource=resource, shutdown_on_exit=False)
        loggers = OwnLoggers(resource=resource, shutdown_on_exit=False)
        try:
            for make in _exporters("traces"):
                tracers.add_span_processor(BatchSpanProcessor(make()))
            for make in _exporters("logs"):
                loggers.add_log_record_processor(BatchLogRecordProcessor(make()))
            readers = [_reader(make()) for make in _exporters("metrics")]
            meters = OwnMeters(readers, resource=resource, shutdown_on_exit=False)
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an exporter says of its variables
            why = short_reason(error, 200)
            raise ConfigurationError(
                f"telemetry: an exporter refused its settings: {why}"
            ) from None
        return cls(tracers, loggers, meters, ours=True)

    def close(self) -> bool:
        """Send what is left, and return whether that ended in time.

        It takes a few seconds at most: an endpoint that is down holds nobody up.
        """
        sending = threading.Thread(target=self._flush, daemon=True, name="telemetry")
        sending.start()
        sending.join(CLOSING_S)
        return not sending.is_alive()

    def _flush(self) -> None:
        for provider in (self.tracers, self.loggers, self.meters):
            end: Any = getattr(provider, "shutdown" if self.ours else "force_flush", None)
            if end is not None:
                end()


class Complaints(logging.Handler):
    """Keeps the first complaint of OpenTelemetry's exporters off the screen, to be told at the end.

    Attributes:
        first: The first message; empty where there was none.
        count: How many there were.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.first = ""
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count a complaint."""
        self.count += 1
        self.first = self.first or " ".join(record.getMessage().split())


def _reader(made: Any) -> MetricReader:
    return made if isinstance(made, MetricReader) else PeriodicExportingMetricReader(made)


def _exporters(signal: Signal) -> Iterator[Callable[[], Any]]:
    """Yield the exporters that the environment names; OTLP by HTTP where it names none."""
    named = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip() or "otlp"
    for name in (each.strip() for each in named.split(",")):
        if name != "none":
            yield _exporter(signal, name)


def _exporter(signal: Signal, name: str) -> Callable[[], Any]:
    if name == "otlp":
        own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL")
        protocol = own or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"
        name = _PROTOCOLS.get(protocol.strip(), protocol)
    found = next(iter(entry_points(group=f"opentelemetry_{signal}_exporter", name=name)), None)
    if found is None:
        command = install_command("otel")
        if name != "otlp_proto_http":
            command = f"python -m pip install opentelemetry-exporter-{name.replace('_', '-')}"
        raise ConfigurationError(
            f"telemetry: the exporter {name!r} of {signal} is not installed: run `{command}`, or "
            f"set OTEL_{signal.upper()}_EXPORTER to another, or to none"
        )
    return found.load()


def _resource() -> Resource:
    said = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in said
    service = {} if named else {"service.name": "safejury"}
    return Resource.create({**service, "service.version": version("safejury")})
