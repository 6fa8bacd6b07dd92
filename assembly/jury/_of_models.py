"""The jury of those who name models only."""

from collections.abc import Sequence

from pydantic import ValidationError

from ...agents import bundled_personas
from ...common import ConfigurationError
from ..config import JurorConfig, JuryConfig, ModelConfig, refused_option

_FIRST_PERSONAS = ("clinician", "security_engineer", "sceptic")


def jury_of_models(
    models: Sequence[str],
    url: str | None = None,
    api_key_env: str | None = None,
    *,
    option: str = "--jurors",
) -> JuryConfig:
    """Return a jury of some models, each with a persona; a lone one is seated three times.

    Args:
        models: Names of the models.
        url: Where they are reached; None for names of providers.
        api_key_env: Name of the environment variable that holds their key.
        option: What messages call the names.

    Raises:
        ConfigurationError: There is no such jury.
    """
    names = [persona.name for persona in bundled_personas()]
    personas = [*_FIRST_PERSONAS, *(name for name in names if name not in _FIRST_PERSONAS)]
    seated = [*models] * 3 if len(models) == 1 else [*models]
    if len(seated) > len(personas):
        raise ConfigurationError(
            f"there are {len(personas)} personas for {len(seated)} {option}: seat a jury as "
            "large as that in a config"
        )
    try:
        return JuryConfig(
            jurors=[
                JurorConfig(persona=persona, model=model, base_url=url, api_key_env=api_key_env)
                for persona, model in zip(personas, seated, strict=False)
            ],
            foreperson=ModelConfig(model=seated[0], base_url=url, api_key_env=api_key_env),
        )
    except ValidationError as error:
        raise refused_option(error, model=option) from None
