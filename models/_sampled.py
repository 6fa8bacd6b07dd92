"""A model with a way of drawing words of its own."""

from dataclasses import replace

from ._around import Around
from ._chat import ChatModel, ChatRequest, Completion, Sampling


class Sampled(Around):
    """A chat model that fills in sampling and seed where a request leaves them open.

    Args:
        model: What to call.
        sampling: How words are drawn.
        seed: Seed for models that take one.
    """

    def __init__(self, model: ChatModel, sampling: Sampling, seed: int | None) -> None:
        super().__init__(model)
        self._sampling = sampling
        self._seed = seed

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply; errors are the model's."""
        sampling = Sampling(
            self._sampling.temperature
            if request.sampling.temperature is None
            else request.sampling.temperature,
            self._sampling.top_p if request.sampling.top_p is None else request.sampling.top_p,
        )
        seed = self._seed if request.seed is None else request.seed
        return await self._model.complete(replace(request, sampling=sampling, seed=seed))
