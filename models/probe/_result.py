"""The results of a probe."""

from dataclasses import dataclass
from typing import Literal

CapabilityState = Literal["yes", "no", "partly", "unknown"]


@dataclass(frozen=True, slots=True)
class Capability:
    """One capability of an endpoint.

    Attributes:
        name: Such as `images` or `json_schema`.
        state: `partly` where it was accepted and not, or not visibly, obeyed;
            `unknown` where no answer came that says either.
        detail: What was seen, in a few words.
        request: The request that failed, shortened, with `sha256:<hex>;<media
            type>;<bytes>` in place of each medium; empty if none did.
        answer: What the server said to it, in quotes.
    """

    name: str
    state: CapabilityState
    detail: str
    request: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """The capabilities of an endpoint, each tested by a request of its own.

    Attributes:
        given_url: The address that was asked for, without user and password.
        base_url: The address that was used; it may have gained `/v1`.
        model: The model that was asked.
        models: All models that the server lists.
        capabilities: What was found, in the order of the asking.
        context_tokens: Tokens that prompt and reply share, where the server says so.
        most_images: Most pictures of one request that were taken; 8 are tried.
        largest_image: Longest side in pixels that was taken; 4,096 are tried.
        image_formats: Formats that were taken, such as `PNG`.
        audio_formats: Formats that were taken, such as `wav`.
        calls: Requests that were sent.
        prompt_tokens: Tokens of all requests, as far as the server counts them.
        completion_tokens: Tokens of all replies, likewise.
        seconds: Time that it took.
    """

    given_url: str
    base_url: str
    model: str
    models: tuple[str, ...]
    capabilities: tuple[Capability, ...]
    context_tokens: int | None = None
    most_images: int = 0
    largest_image: int = 0
    image_formats: tuple[str, ...] = ()
    audio_formats: tuple[str, ...] = ()
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    @property
    def works(self) -> bool:
        """Whether any chat completion succeeded; if not, nothing else was tested."""
        return self.state("text") in ("yes", "partly")

    def state(self, name: str) -> CapabilityState:
        """Return the state of one capability, `unknown` if it was not tested."""
        for capability in self.capabilities:
            if capability.name == name:
                return capability.state
        return "unknown"

    def config(self) -> dict[str, object]:
        """Return config keys that match the results.

        A schema that is accepted and ignored is better asked for in words; pictures of formats
        that are not read are made into others.
        """
        schema = self.state("json_schema")
        read = [name.lower() for name in self.image_formats]
        some = {"png", "jpeg"} <= set(read) and not {"webp", "gif"} <= set(read)
        return {
            "base_url": self.base_url,
            "model": self.model,
            "images": self.state("images") in ("yes", "partly"),
            **({"image_formats": read} if some else {}),
            "audio": self.state("audio") in ("yes", "partly"),
            "json_schema": "auto" if schema in ("yes", "unknown") else "never",
        }
