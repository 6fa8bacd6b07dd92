"""Writes the jury's round-0 requests for a batch, which answers them at a lower price."""

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
from ..record import Record
from ..trials import Trial
from ._batch import BatchCall, Walk, batch_model, batch_seats
from ._files import BatchFiles, Limits, Place
from ._id import CustomId, Untaken, batch_dialect
from ._manifest import ENDPOINT, BatchFile, Exported, write_manifest
from ._open import open_run

_SHOWN = 20


async def export_batch(
    plan: RunPlan,
    place: Place,
    *,
    ask: bool = False,
    untaken: frozenset[Untaken] = frozenset(),
    limits: Limits | None = None,
    report: Callable[[Exported], None] = lambda _: None,
) -> Exported:
    """Write what a run's jurors would be asked in round 0 and have not answered yet.

    A manifest beside the files lists them; nothing is written where there is nothing
    to ask and nothing was answered.

    Args:
        plan: The run.
        place: Where the files go.
        ask: Whether live targets are asked for responses that the record lacks; they
            enter the record, so that neither a repeated export nor the run asks again.
        untaken: What the jurors' models do not take.
        limits: What one file may hold.
        report: Is report after each case how far it is.

    Raises:
        ConfigurationError: No juror can be asked by a batch, a target never answered,
            or the place or the record cannot be written.
    """
    specs = [seat.model for seat in batch_seats(plan) if seat.model is not None]
    done = Exported()
    with BatchFiles(place, specs, limits or Limits()) as files:
        async with open_run(plan, ask=ask) as opened:
            prices = {spec: await find_price(spec) for spec in specs}
            clerk = _Clerk(opened.record, files, prices, done, untaken)

            heard = {ResponseOutcome.ANSWERED}
            if plan.judges_truncated:
                heard.add(ResponseOutcome.TRUNCATED)

            def count(trial: Trial, outcome: ResponseOutcome | None) -> None:
                done.cases += 1
                if outcome is None:
                    done.missing[trial.target] += 1
                elif outcome not in heard:
                    done.unheard[outcome] += 1
                report(done)

            workers = min(plan.limits.concurrency, plan.total) if ask else 1
            await Walk(plan, opened, clerk.take).go(count, finished=False, workers=workers)

        def announce(written: list[BatchFile]) -> None:
            done.files = written
            write_manifest(place.manifest, plan, done, untaken)

        if done.requests or done.answered:
            files.finish(announce)
    return done


class _Clerk:
    """Writes each call into the file of its model."""

    def __init__(
        self,
        record: Record,
        files: BatchFiles,
        prices: Mapping[ModelSpec, Price | None],
        done: Exported,
        untaken: frozenset[Untaken],
    ) -> None:
        self._record = record
        self._files = files
        self._prices = prices
        self._done = done
        self._untaken = untaken

    def take(self, call: BatchCall) -> None:
        if self._record.find(call.request.call_id, call.key) is not None:
            self._done.answered += 1
            return
        try:
            line = self._line(call)
        except RequestError as error:
            self._leave_out(call, str(error))
            return
        if not self._files.fits(line):
            self._leave_out(call, f"{len(line):,} bytes are more than one file may hold")
            return
        self._files.add(call.spec, line, self._most(call))
        self._done.requests += 1

    def _line(self, call: BatchCall) -> bytes:
        model = batch_model(call.spec) or call.spec.model
        in_words = call.spec.json_schema == "never"
        dialect = batch_dialect(self._untaken, schema_in_words=in_words)
        request = {
            "custom_id": str(CustomId.of(call.tag, call.key, call.request, dialect)),
            "method": "POST",
            "url": ENDPOINT,
            "body": msgspec.Raw(encode_request(model, call.request, dialect)),
        }
        return msgspec.json.encode(request) + b"\n"

    def _most(self, call: BatchCall) -> float | None:
        price = self._prices[call.spec]
        if price is None:
            return None
        prompt = estimate_prompt_tokens(call.request)
        reply = call.request.max_tokens or 0
        return price.of(Usage(prompt_tokens=prompt, completion_tokens=reply))

    def _leave_out(self, call: BatchCall, why: str) -> None:
        self._done.unwritable += 1
        if len(self._done.problems) < _SHOWN:
            self._done.problems.append(f"{call.request.call_id}: {why}")
