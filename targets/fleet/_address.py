"""Where a managed server answers, told to processes that do not keep it up."""

from dataclasses import dataclass
from typing import Self

from ..vllm import model_identity
from ._plan import ServerUse


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a managed server answers, and what its models are called; it holds no secret.

    Attributes:
        server: The server's name.
        url: The API's address.
        model: The model as the config names it.
        served_name: The model's name in requests.
        identity: The model's name in keys of calls; see `model_identity`.
    """

    server: str
    url: str
    model: str
    served_name: str
    identity: str

    @classmethod
    def of(cls, use: ServerUse, url: str) -> Self:
        """Return the address of a server."""
        vllm = use.spec
        return cls(use.name, url, vllm.model, vllm.served_name, model_identity(vllm))

    def names(self, model: str) -> tuple[str, str]:
        """Return a model's own name, independent of the address, and its name in requests."""
        if model in (self.server, self.model):
            return self.identity, self.served_name
        if model == self.served_name:
            return self.identity, model
        return f"{model}:{self.identity}", model  # an adapter beside the model, for instance
