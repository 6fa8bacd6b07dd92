"""Adds options from the config to every request."""

from dataclasses import replace

from ..chat import ChatModel, ChatRequest, Completion, RequestOptions
from ._middleware import Middleware


class _WithOptions(Middleware):
    """A chat model that adds options to every request."""

    def __init__(self, model: ChatModel, options: RequestOptions) -> None:
        super().__init__(model)
        self._options = options

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply; errors are the model's."""
        options = self._options.over(request.options)
        return await self._model.complete(replace(request, options=options))


def with_options(model: ChatModel, options: RequestOptions | None) -> ChatModel:
    """Wrap a model so that `options` are added to every request.

    Wrap it around whatever keeps calls by their request: the options are part of that.
    """
    return model if options is None else _WithOptions(model, options)
