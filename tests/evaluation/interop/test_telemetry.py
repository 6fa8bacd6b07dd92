"""Telemetry of real runs, as a collector of OTLP receives it."""

import gzip
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

import pytest
from workplace import Workplace

from safejury.testing import ScriptedReply, ScriptedServer, ballot

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="no exporter of OTLP is here")

OURS = {"safejury.case", "chat"}
MALWARE = "cybersecurity.malware_generation"
Start = Callable[..., ScriptedServer]
SECRET = "sk-telemetry-0123456789"
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@dataclass
class Collector:
    """A collector that keeps what it is sent.

    Attributes:
        url: Its address.
        bodies: What came, decoded, by signal.
    """

    url: str = ""
    bodies: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    def keep(self, signal: str, body: bytes) -> None:
        name = {"traces": "Trace", "logs": "Logs", "metrics": "Metrics"}[signal]
        part = signal.removesuffix("s") if signal == "traces" else signal
        module = f"opentelemetry.proto.collector.{part}.v1.{part}_service_pb2"
        message: Any = getattr(import_module(module), f"Export{name}ServiceRequest")()
        message.ParseFromString(body)
        self.bodies.setdefault(signal, []).append(message)

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for body in self.bodies.get("traces", [])
            for resource in body.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def events(self) -> list[Any]:
        return [
            event
            for body in self.bodies.get("logs", [])
            for resource in body.resource_logs
            for scope in resource.scope_logs
            for event in scope.log_records
        ]

    @property
    def metrics(self) -> dict[str, Any]:
        return {
            metric.name: metric.histogram.data_points
            for body in self.bodies.get("metrics", [])
            for resource in body.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    @property
    def everything(self) -> str:
        return "".join(str(body) for bodies in self.bodies.values() for body in bodies)


def plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(each) for each in value.array_value.values]
    return getattr(value, kind)


def about(found: Any) -> dict[str, Any]:
    return {each.key: plain(each.value) for each in found.attributes}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            kept.keep(self.path.rpartition("/")[2], body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def reply(body: Mapping[str, object]) -> str | ScriptedReply:
    model, text = body["model"], str(body["messages"])
    if model == "target":
        if "q2" in text:
            return ScriptedReply("down", status=500)
        return "An answer of the target."
    if "JSON" not in text:
        return "The jurors differ."
    if model == "sceptic-model":
        return "?" if "have voted once" in text else ballot("safe", 4, "It is vague.")
    return ballot("unsafe", 2, "It goes along.")


@pytest.fixture
def config(workplace: Workplace, scripted: Start, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TELEMETRY_KEY", SECRET)
    workplace.queries(  # somebody pasted a key
        *(
            {
                "id": name,
                "scenario": scenario,
                "text": f"Question {name}? {SECRET}",
                "intent": "harmful",
            }
            for name, scenario in (("q1", MALWARE), ("q2", "ethics.bioethics"), ("q3", "bias"))
        )
    )
    url = scripted(reply, api_key=SECRET).base_url
    keyed = {f"jury__jurors__{seat}__api_key_env": "TELEMETRY_KEY" for seat in range(3)}
    foreperson = {"base_url": url, "model": "foreperson", "api_key_env": "TELEMETRY_KEY"}
    return workplace.config(
        url, targets__0__api_key_env="TELEMETRY_KEY", jury__foreperson=foreperson, **keyed
    )


def run(workplace: Workplace, config: str, *options: str) -> None:
    lenient = ("--min-coverage", "0", "--min-panel", "0")
    ended = workplace.safejury("run", config, *lenient, *options)
    assert ended.code == 0, ended.err
    assert "telemetry" not in ended.err


def test_cases_calls_and_verdicts_are_sent(
    workplace: Workplace, config: str, collector: Collector
) -> None:
    run(workplace, config, "--otel")
    cases = {about(span)["safejury.case.id"]: span for span in collector.spans if is_case(span)}
    assert cases.keys() == {f"q{number}/examined/0" for number in (1, 2, 3)}
    first = cases["q1/examined/0"]
    assert about(first)["safejury.verdict"] == "unsafe"
    assert about(first)["safejury.scenario"] == MALWARE
    assert {span.name.split()[0] for span in collector.spans} == OURS

    calls = [span for span in collector.spans if span.parent_span_id == first.span_id]
    names = sorted(span.name for span in calls)
    assert names == sorted(
        ["chat target", "chat foreperson"]
        + [f"chat {seat}-model" for seat in ("clinician", "lawyer") for _ in range(2)]
        + ["chat sceptic-model"] * 3  # its second ballot was asked for twice
    )
    target = next(span for span in calls if span.name == "chat target")
    assert target.trace_id == first.trace_id
    said = about(target)
    assert {key: said[key] for key in said if key.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "target",
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.request.seed": 7,
        "gen_ai.response.model": "scripted",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": said["gen_ai.usage.input_tokens"],
        "gen_ai.usage.output_tokens": said["gen_ai.usage.output_tokens"],
        "gen_ai.usage.cache_read.input_tokens": 0,
    }
    assert said["server.address"] == "127.0.0.1"
    juror = next(span for span in calls if span.name == "chat lawyer-model")
    assert about(juror)["safejury.seat"] == "lawyer"
    assert about(juror)["gen_ai.output.type"] == "json"

    judged = [event for event in collector.events if event.span_id == target.span_id]
    assert {event.event_name for event in judged} == {"gen_ai.evaluation.result"}
    found = [about(event) for event in judged]
    verdict = found[-1]
    assert verdict["gen_ai.evaluation.name"] == "safejury.verdict"
    assert verdict["gen_ai.evaluation.score.label"] == "unsafe"
    assert verdict["gen_ai.evaluation.score.value"] == 2
    assert verdict["safejury.tally.unsafe"] == 2
    assert "error.type" not in verdict
    ballots = [each for each in found if each["gen_ai.evaluation.name"] == "safejury.ballot"]
    assert len(ballots) == 6
    lost = ballots[-1]
    assert lost["gen_ai.evaluation.score.label"] == "unparsed"
    assert lost["error.type"] == "unparsed"
    assert "gen_ai.evaluation.score.value" not in lost


def is_case(span: Any) -> bool:
    return str(span.name).startswith("safejury.case")


def test_a_failed_call_and_no_verdict_are_errors(
    workplace: Workplace, config: str, collector: Collector
) -> None:
    run(workplace, config, "--otel")
    failed = next(
        span for span in collector.spans if span.name == "chat target" and span.status.code
    )
    assert about(failed)["error.type"] == "500"
    (event,) = [event for event in collector.events if event.span_id == failed.span_id]
    assert about(event)["gen_ai.evaluation.score.label"] == "no_verdict"
    assert about(event)["error.type"] == "no_verdict"


def test_metrics_count_tokens_and_seconds(
    workplace: Workplace, config: str, collector: Collector
) -> None:
    run(workplace, config, "--otel")
    seconds = collector.metrics["gen_ai.client.operation.duration"]
    models = {about(point)["gen_ai.request.model"]: point.count for point in seconds}
    assert models["clinician-model"] == 4
    tokens = collector.metrics["gen_ai.client.token.usage"]
    assert {about(point)["gen_ai.token.type"] for point in tokens} == {"input", "output"}


def test_no_words_and_no_keys_are_sent_by_default(
    workplace: Workplace, config: str, collector: Collector
) -> None:
    run(workplace, config, "--otel")
    for words in ("Question q1", "An answer of", "It goes along", "jurors differ", SECRET):
        assert words not in collector.everything


@pytest.mark.parametrize(
    ("word", "messages", "reasons"),
    [("true", True, True), ("span_only", True, False), ("event_only", False, True)],
)
def test_words_are_sent_where_the_environment_says_so(
    workplace: Workplace,
    config: str,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    word: str,
    messages: bool,
    reasons: bool,
) -> None:
    monkeypatch.setenv(CONTENT, word)
    run(workplace, config, "--otel")
    target = next(span for span in collector.spans if span.name == "chat target")
    said = about(target)
    assert ("gen_ai.input.messages" in said) is messages
    if messages:
        asked = json.loads(said["gen_ai.input.messages"])
        assert asked[-1]["parts"][0]["type"] == "text"
        assert "An answer of" in said["gen_ai.output.messages"]
    explained = [about(event).get("gen_ai.evaluation.explanation") for event in collector.events]
    assert ("It goes along." in explained) is reasons
    assert SECRET not in collector.everything


def test_the_config_decides_of_content(
    workplace: Workplace, config: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTENT, "true")
    run(workplace, config, "--set", "telemetry={otel: true, content: false}")
    assert collector.spans
    assert "Question q1" not in collector.everything


def test_nothing_is_sent_unless_asked_for(
    workplace: Workplace, config: str, collector: Collector
) -> None:
    run(workplace, config)
    assert collector.bodies == {}


def test_a_resumed_run_is_the_same_with_and_without(
    workplace: Workplace, config: str, collector: Collector
) -> None:
    run(workplace, config)
    run(workplace, config, "--otel")  # not another configuration
    assert [span.name for span in collector.spans] == []  # nothing was asked again


def test_an_endpoint_that_is_down_fails_no_run(
    workplace: Workplace, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as held:  # bound, and nobody listens
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv(
            "OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{held.getsockname()[1]}"
        )
        lenient = ("--min-coverage", "0", "--min-panel", "0")
        ended = workplace.safejury("run", config, "--otel", *lenient)
    assert ended.code == 0, ended.err
    assert "Note: telemetry was not all sent" in ended.err
    assert workplace.stored("SELECT count(*) FROM cases") == [(3,)]


def test_an_exporter_that_is_missing_is_told_before_the_run(
    workplace: Workplace, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "pigeon")
    workplace.safejury("run", config, "--otel").refused("'pigeon' of traces is not installed")
    assert not (workplace.path / "runs").exists()


def test_judging_is_recorded_too(
    workplace: Workplace, scripted: Start, collector: Collector
) -> None:
    file = workplace.write_lines([{"prompt": "Question?", "response": "Yes."}])
    url = scripted(reply).base_url
    jurors = ("--jurors", "lawyer-model", "--url", url, "--otel")
    ended = workplace.safejury("judge", file, *jurors)
    assert ended.code == 0, ended.err
    verdicts = [about(each) for each in collector.events]
    assert verdicts[-1]["gen_ai.evaluation.score.label"] == "unsafe"
    # What was recorded elsewhere was no call: the verdict is beside its case.
    case = next(span for span in collector.spans if is_case(span))
    assert collector.events[-1].span_id == case.span_id


OWN_PROVIDER = """
import asyncio, sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import safejury as sj

kept = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)
model = sj.endpoint(sys.argv[1], "lawyer-model", price=0)
jury = sj.Jury.of("lawyer", model=model, protocol="vote")
asyncio.run(sj.evaluate("queries.jsonl", targets=model, jury=jury, limit=1, otel=True))
assert trace.get_tracer_provider() is provider
print(*sorted(span.name for span in kept.get_finished_spans()), sep="\\n")
"""


@pytest.mark.slow
def test_a_program_with_providers_of_its_own_gets_it_all(
    workplace: Workplace, scripted: Start
) -> None:
    workplace.queries()
    url = scripted(reply).base_url
    command = [sys.executable, "-P", "-c", OWN_PROVIDER, url]
    done = subprocess.run(
        command, cwd=workplace.path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    # Some are AutoGen's, which asks the program's provider as well.
    ours = [name for name in done.stdout.splitlines() if name.split()[0] in OURS]
    assert ours == ["chat lawyer-model", "chat lawyer-model", "safejury.case lawyer-model"]
