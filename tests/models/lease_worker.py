"""A worker in a process of its own: leases over its standard input and output."""

import asyncio
import sys

import msgspec
from leasing import Leasing

from safejury.common import ModelError
from safejury.models import (
    ChatMessage,
    ChatRequest,
    LeaseGrant,
    LeaseReport,
    ModelRegistry,
    ModelSpec,
    PlaceLimits,
    RetryPolicy,
)


async def main(name: str, url: str, calls: int, concurrency: int, tokens: int) -> None:
    loop = asyncio.get_running_loop()

    async def exchange(report: LeaseReport) -> LeaseGrant:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.flush()
        line = await loop.run_in_executor(None, sys.stdin.readline)
        return msgspec.json.decode(line, type=LeaseGrant)

    leasing = Leasing(name, exchange)
    budget = leasing.holder.budget(tokens, None)
    registry = ModelRegistry(
        limits=PlaceLimits(concurrency),
        budget=budget,
        limiters=leasing.holder.limiter,
        policy=RetryPolicy(attempts=1),
    )
    async with registry:
        model = registry.open(ModelSpec("m", base_url=url))

        async def call(number: int) -> None:
            message = ChatMessage.of("user", f"{name} asks {number}")
            try:
                await model.complete(
                    ChatRequest((message,), max_tokens=50, call_id=f"{name}/{number}")
                )
            except ModelError as error:
                sys.stderr.write(f"{error}\n")

        async with leasing.renewed(), asyncio.TaskGroup() as group:
            for number in range(calls):
                group.create_task(call(number))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
