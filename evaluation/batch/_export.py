"""Writes the jury's round-0 requests into batch files."""

from collections.abc import Callable, Mapping

import msgspec

from ...common import RequestError
from ...models import (
    ModelSpec,
    Price,
    Usage,
    encode_request,
    estimate_prompt_tokens,
    find_price,
)
from ...targets import ResponseOutcome
from ..plan import RunPlan
from ..record import RunRecord
from ..trials import Trial
from ._batch import BatchCall, RequestCollector, batch_model, batch_seats
from ._files import BatchFiles, Limits, Place
from ._id import CustomId, Unsupported, batch_dialect
from ._manifest import ENDPOINT, BatchFile, Exported, write_manifest
from ._open import open_run

_SHOWN = 20


async def export_batch(
    plan: RunPlan,
    place: Place,
    *,
    ask: bool = False,
    unsupported: frozenset[Unsupported] = frozenset(),
    limits: Limits | None = None,
    report: Callable[[Exported], None] = lambda _: None,
) -> Exported:
    """Write the round-0 requests of a run's jurors that have no reply yet.

    A manifest next to the files lists them; nothing is written where there is nothing
    to ask and no reply either.

    Args:
        plan: The run.
        place: Where the files go.
        ask: Whether to ask live targets for responses that the record lacks; they are
            recorded, so neither a repeated export nor the run asks again.
        unsupported: Parameters that the jurors' models do not support.
        limits: Size limits of a file.
        report: Called with the progress after each case.

    Raises:
        ConfigurationError: No juror can be asked in a batch, no target answered,
            or the place or the record cannot be written.
    """
    specs = [seat.model for seat in batch_seats(plan) if seat.model is not None]
    done = Exported()
    with BatchFiles(place, specs, limits or Limits()) as files:
        async with open_run(plan, ask=ask) as opened:
            prices = {spec: await find_price(spec) for spec in specs}
            writer = _RequestWriter(opened.record, files, prices, done, unsupported)

            judged = {ResponseOutcome.ANSWERED}
            if plan.judges_truncated:
                judged.add(ResponseOutcome.TRUNCATED)

            def count(trial: Trial, outcome: ResponseOutcome | None) -> None:
                done.cases += 1
                if outcome is None:
                    done.missing[trial.target] += 1
                elif outcome not in judged:
                    done.unjudged[outcome] += 1
                report(done)

            workers = min(plan.limits.concurrency, plan.total) if ask else 1
            await RequestCollector(plan, opened, writer.take).collect(
                count, finished=False, workers=workers
            )

        def announce(written: list[BatchFile]) -> None:
            done.files = written
            write_manifest(place.manifest, plan, done, unsupported)

        if done.requests or done.answered:
            files.finish(announce)
    return done


class _RequestWriter:
    """Writes each request into the file of its model."""

    def __init__(
        self,
        record: RunRecord,
        files: BatchFiles,
        prices: Mapping[ModelSpec, Price | None],
        done: Exported,
        unsupported: frozenset[Unsupported],
    ) -> None:
        self._record = record
        self._files = files
        self._prices = prices
        self._done = done
        self._unsupported = unsupported

    def take(self, call: BatchCall) -> None:
        if self._record.find(call.request.call_id, call.key) is not None:
            self._done.answered += 1
            return
        try:
            line = self._line(call)
        except RequestError as error:
            self._skip(call, str(error))
            return
        if not self._files.fits(line):
            self._skip(call, f"{len(line):,} bytes are more than a file may hold")
            return
        self._files.add(call.spec, line, self._max_cost(call))
        self._done.requests += 1

    def _line(self, call: BatchCall) -> bytes:
        model = batch_model(call.spec) or call.spec.model
        in_words = call.spec.json_schema == "never"
        dialect = batch_dialect(self._unsupported, schema_in_words=in_words)
        request = {
            "custom_id": str(CustomId.of(call.tag, call.key, call.request, dialect)),
            "method": "POST",
            "url": ENDPOINT,
            "body": msgspec.Raw(encode_request(model, call.request, dialect)),
        }
        return msgspec.json.encode(request) + b"\n"

    def _max_cost(self, call: BatchCall) -> float | None:
        price = self._prices[call.spec]
        if price is None:
            return None
        prompt = estimate_prompt_tokens(call.request)
        reply = call.request.max_tokens or 0
        return price.of(Usage(prompt_tokens=prompt, completion_tokens=reply))

    def _skip(self, call: BatchCall, why: str) -> None:
        self._done.unwritable += 1
        if len(self._done.problems) < _SHOWN:
            self._done.problems.append(f"{call.request.call_id}: {why}")
