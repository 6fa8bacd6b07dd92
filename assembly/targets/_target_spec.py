"""From a config to a target that is a model, with nothing opened yet."""

from ...models import ModelSpec, Sampling
from ...targets import ModelTargetSpec
from ..config import ModelConfig, RunConfig, SystemFile, read_system
from ..models import model_spec
from ..servers import ServerBook


def target_spec(
    name: str,
    config: ModelConfig,
    servers: ServerBook,
    options: RunConfig,
    *,
    system: str | SystemFile | None = None,
    model: ModelSpec | None = None,
    keep: bool = False,
) -> ModelTargetSpec:
    """Return a target that is a model.

    Args:
        name: The target's name, and its managed server's.
        config: What the config says of the model.
        servers: Where its managed server is entered, if it has one.
        options: The run's cap on the tokens of a response, and its seed.
        system: What the config says of its system prompt.
        model: The model where that is given; else the config's.
        keep: Whether its server is needed for the whole run.

    Raises:
        ConfigurationError: The model's key is not set, the model is nowhere, its server
            cannot be, or the system prompt cannot be read.
    """
    return ModelTargetSpec(
        name,
        model or model_spec(config, servers, user=name, keep=keep),
        max_tokens=options.max_tokens,
        seed=options.seed,
        sampling=Sampling(config.temperature, config.top_p),
        images=config.image_limits,
        system=None if system is None else read_system(system, servers.folder),
    )
