"""The server of a scripted model: counts, queues and answers requests."""

import asyncio
import hashlib
import hmac
import ssl
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Self

import msgspec

from ._http import Connection, HttpRequest
from ._pictures import PictureQuirk, PictureScript, picture_reply
from ._quirks import Quirk, apply_reply_quirks, rejection_of, without_ignored_fields
from ._reply import (
    UNSAFE,
    Body,
    Fault,
    Faults,
    Reply,
    Script,
    ScriptedReply,
    default_reply,
    faulty,
    moderation_body,
)
from ._speech import SpeechScript, speech_reply
from ._stream import EVENT_STREAM, as_stream

_Kind = Literal["chat", "moderation", "picture", "speech"]
FaultPlan = Mapping[Fault, float] | Sequence[Fault | None] | Iterator[Fault | None]


@dataclass(slots=True)
class ScriptedStats:
    """The counters of a scripted server.

    Attributes:
        connections: TCP connections opened so far.
        calls: Chat completions and moderations asked for.
        pictures: Pictures asked for.
        speeches: Recordings asked for.
        in_flight: Calls that wait for their answer now.
        peak_in_flight: Most calls that ever waited at one time.
        distinct: Different request bodies among the calls.
        statuses: Answers by HTTP status.
        faults: Faults played, by name.
    """

    connections: int = 0
    calls: int = 0
    pictures: int = 0
    speeches: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    distinct: int = 0
    statuses: Counter[int] = field(default_factory=Counter[int])
    faults: Counter[str] = field(default_factory=Counter[str])


@dataclass(slots=True)
class _Job:
    connection: Connection
    request: HttpRequest
    kind: _Kind = "chat"
    running: bool = False
    timer: asyncio.TimerHandle | None = None


class ScriptedServer:
    """A chat model server whose replies, delays and failures are scripted.

    Args:
        reply: One reply for all calls, a list that is cycled, or a function of
            the request; None answers from a hash of the request's words: ballots
            where one is asked for, and plain sentences otherwise.
        faults: See `Faults`.
        fault_attempts: Attempts of one request that may go wrong.
        latency: Seconds that every reply takes.
        slots: Calls served at one time, the others queue; None for no bound.
        model: Name that replies carry, and that `/v1/models` lists.
        api_key: Key that calls must carry, None to take any.
        json_schema: Whether `response_format` is understood; if not, it is
            rejected with a 400, as older servers do.
        quirks: Ways in which it is like a well-known service.
        pictures: Draws what `/images/generations` asks for; None draws colored blocks.
        picture_quirks: Ways in which that is like a well-known service.
        speech: Speaks what `/audio/speech` asks for; None makes a tone for each word.
        base_path: Path under which alone it answers, such as `/v1`; None answers
            with and without `/v1`.
        vllm_version: Version of vLLM that it says it is, None to say nothing of it.
        ssl_context: Makes it speak TLS.
        retry_after: Seconds that a 429 asks to wait.
        slow: Seconds that the fault `slow` adds.
        host: Address to listen on.
        port: Port to listen on, 0 for a free one.
        keep_requests: Whether `requests` keeps every body.
        unsafe: Share in [0, 1] of its ballots that find a response unsafe, where `reply` is None.

    Attributes:
        requests: Bodies of the chat completions and moderations asked for, oldest first.
        picture_requests: Bodies of the pictures asked for, oldest first.
        speech_requests: Bodies of the recordings asked for, oldest first.
        stats: What the server has seen.
    """

    def __init__(
        self,
        reply: Script | None = None,
        *,
        faults: FaultPlan | None = None,
        fault_attempts: int = 1,
        latency: float = 0.0,
        slots: int | None = None,
        model: str = "scripted",
        api_key: str | None = None,
        json_schema: bool = True,
        quirks: Sequence[Quirk] = (),
        pictures: PictureScript | None = None,
        picture_quirks: Sequence[PictureQuirk] = (),
        speech: SpeechScript | None = None,
        base_path: str | None = None,
        vllm_version: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        retry_after: float = 0.0,
        slow: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
        keep_requests: bool = True,
        unsafe: float = UNSAFE,
    ) -> None:
        self._say = _speaker(reply, unsafe)
        self._faults = Faults(faults, fault_attempts) if faults is not None else None
        self._latency = latency
        self._slots = slots
        self._model = model
        self._authorization: str | None = None
        self.take_key(api_key)
        self._json_schema = json_schema
        self._quirks = tuple(quirks)
        self._pictures, self._picture_quirks = pictures, tuple(picture_quirks)
        self._speech = speech
        self._base_path, self._ssl = base_path, ssl_context
        self._vllm_version = vllm_version
        self._retry_after, self._slow = retry_after, slow
        self._address = (host, port)
        self._keep = keep_requests
        self._server: asyncio.Server | None = None
        self._closing = False
        self._jobs: dict[Connection, _Job | None] = {}
        self._queue: deque[_Job] = deque()
        self._running = 0
        self._bodies: set[bytes] = set()
        self.requests: list[Body] = []
        self.picture_requests: list[Body] = []
        self.speech_requests: list[Body] = []
        self.stats = ScriptedStats()

    @property
    def base_url(self) -> str:
        """The base URL for clients; known once the server has started."""
        host, port = self._address
        if port == 0:
            raise RuntimeError("the scripted server has not started: enter it with `async with`")
        path = "/v1" if self._base_path is None else self._base_path.rstrip("/")
        return f"{'http' if self._ssl is None else 'https'}://{host}:{port}{path}"

    def take_key(self, api_key: str | None) -> None:
        """Take calls with another key from now on, as where a provider's key is replaced.

        Args:
            api_key: The key, None to take any.
        """
        self._authorization = None if api_key is None else f"Bearer {api_key}"

    async def start(self) -> None:
        """Start listening; the port is known afterwards."""
        host, port = self._address
        loop = asyncio.get_running_loop()
        self._closing = False
        self._server = await loop.create_server(
            lambda: Connection(self), host, port, backlog=4096, ssl=self._ssl
        )
        self._address = host, self._server.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """Close all connections and stop listening; may be called twice."""
        if self._server is None:
            return
        self._closing = True
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        # What was accepted becomes a connection first: asyncio leaves one open and unread,
        # if its server is closed in between, and the client would wait for its timeout.
        await asyncio.sleep(0)
        self._server.close()
        for connection, job in list(self._jobs.items()):
            if job is not None and job.timer is not None:
                job.timer.cancel()
            connection.abort()
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def opened(self, connection: Connection) -> None:
        """Count a connection."""
        if self._closing:  # it was accepted in the turn in which we closed
            connection.abort()
            return
        self.stats.connections += 1
        self._jobs[connection] = None

    def closed(self, connection: Connection) -> None:
        """Remove a connection and the call that waits on it."""
        job = self._jobs.pop(connection, None)
        if job is not None:
            self._leave(job)

    def requested(self, connection: Connection, request: HttpRequest) -> None:
        """Route a request."""
        match request.method, self._below(request.path):
            case "POST", "/chat/completions":
                self.stats.calls += 1
                self._accept(_Job(connection, request))
            case "POST", "/moderations":
                self.stats.calls += 1
                self._accept(_Job(connection, request, "moderation"))
            case "POST", "/images/generations":
                self.stats.pictures += 1
                self._accept(_Job(connection, request, "picture"))
            case "POST", "/audio/speech":
                self.stats.speeches += 1
                self._accept(_Job(connection, request, "speech"))
            case "GET", "/models":
                model = {"id": self._model, "object": "model"}
                if self._vllm_version is not None:
                    model["owned_by"] = "vllm"
                listed = {"object": "list", "data": [model]}
                connection.respond(200, msgspec.json.encode(listed))
            case "GET", "/version" if self._vllm_version is not None:
                said = {"version": self._vllm_version}
                connection.respond(200, msgspec.json.encode(said))
            case "GET", "/stats":
                connection.respond(200, msgspec.json.encode(self.stats))
            case "GET", "/health":
                connection.respond(200, b"{}")
            case _:
                error = {"error": {"message": f"no such path: {request.path}", "code": 404}}
                connection.respond(404, msgspec.json.encode(error))

    def _below(self, path: str) -> str:
        """Return the part of a path below the API's base path, empty if it is elsewhere."""
        if self._base_path is None:
            return path.removeprefix("/v1")
        own = self._base_path.rstrip("/")
        return path.removeprefix(own) if path.startswith(f"{own}/") else ""

    def _accept(self, job: _Job) -> None:
        self._jobs[job.connection] = job
        self.stats.in_flight += 1
        self.stats.peak_in_flight = max(self.stats.peak_in_flight, self.stats.in_flight)
        if self._slots is not None and self._running >= self._slots:
            self._queue.append(job)
        else:
            self._start(job)

    def _start(self, job: _Job) -> None:
        job.running = True
        self._running += 1
        body, reply = self._decide(job.request, job.kind)
        if reply.hang:
            return
        delay = self._latency + reply.delay
        if delay > 0:
            loop = asyncio.get_running_loop()
            job.timer = loop.call_later(delay, self._finish, job, body, reply)
        else:
            self._finish(job, body, reply)

    def _decide(self, request: HttpRequest, kind: _Kind) -> tuple[Body, ScriptedReply]:
        if self._authorization and not hmac.compare_digest(
            request.authorization.encode(), self._authorization.encode()
        ):
            return {}, ScriptedReply("Incorrect API key", status=401, code="invalid_api_key")
        try:
            body = msgspec.json.decode(request.body, type=dict[str, object])
        except (ValueError, RecursionError) as error:
            return {}, ScriptedReply(f"the request is not JSON: {error}", status=400)
        self._remember(body, request.body, kind)
        reply, is_rejection = self._reply(body, kind)
        if is_rejection:
            return body, reply
        fault = self._faults.next(request.body) if self._faults is not None else None
        if fault is None:
            return body, reply
        self.stats.faults[fault] += 1
        return body, faulty(fault, reply, retry_after=self._retry_after, slow=self._slow)

    def _reply(self, body: Body, kind: _Kind) -> tuple[ScriptedReply, bool]:
        """Return the reply to a request, and whether it rejects the request."""
        match kind:
            case "chat" | "moderation":
                return self._said(body)
            case "picture":
                reply = picture_reply(self._pictures, self._picture_quirks, body)
            case "speech":
                reply = speech_reply(self._speech, body)
        return reply, reply.status >= 400

    def _said(self, body: Body) -> tuple[ScriptedReply, bool]:
        """Return the reply to a chat request, and whether it rejects the request."""
        if not self._json_schema and "response_format" in body:
            return ScriptedReply("response_format is not supported", status=400), True
        if (rejection := rejection_of(self._quirks, body)) is not None:
            return rejection, True
        said = self._say(without_ignored_fields(self._quirks, body))
        return ScriptedReply(said) if isinstance(said, str) else said, False

    def _remember(self, body: Body, raw: bytes, kind: _Kind) -> None:
        if self._keep:
            kept = {"picture": self.picture_requests, "speech": self.speech_requests}
            kept.get(kind, self.requests).append(body)
            self._bodies.add(hashlib.blake2b(raw, digest_size=8).digest())
            self.stats.distinct = len(self._bodies)

    def _finish(self, job: _Job, body: Body, reply: ScriptedReply) -> None:
        self._jobs[job.connection] = None
        if reply.drop:
            job.connection.abort()
        else:
            self.stats.statuses[reply.status] += 1
            sent, headers = reply.body(body, self._model), reply.headers
            if job.kind == "moderation" and reply.status == 200 and reply.raw_body is None:
                sent = moderation_body(reply, self._model)
            if reply.status == 200 and job.kind == "chat":
                sent = apply_reply_quirks(self._quirks, body, sent)
                if body.get("stream") and reply.raw_body is None:
                    sent, headers = as_stream(body, sent), {**EVENT_STREAM, **headers}
            job.connection.respond(
                reply.status,
                sent,
                headers,
                chunked=reply.chunked,
                truncate=reply.truncate,
            )
        self._leave(job)

    def _leave(self, job: _Job) -> None:
        self.stats.in_flight -= 1
        if job.timer is not None:
            job.timer.cancel()
        if not job.running:
            self._queue.remove(job)
            return
        self._running -= 1
        if self._queue and (self._slots is None or self._running < self._slots):
            self._start(self._queue.popleft())


def _speaker(script: Script | None, unsafe: float) -> Callable[[Body], Reply]:
    if script is None:
        return partial(default_reply, unsafe=unsafe)
    if callable(script):
        return script
    if isinstance(script, str | ScriptedReply):
        return lambda _: script
    turn = 0

    def cycle(_: Body) -> Reply:
        nonlocal turn
        turn += 1
        return script[(turn - 1) % len(script)]

    return cycle
