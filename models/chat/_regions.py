"""Names LiteLLM's parameters for the regions of cloud providers."""

from ...common import ConfigurationError

_AWS, _VERTEX = "aws_region_name", "vertex_location"
REGION_PARAMETERS = {
    "bedrock": _AWS,
    "sagemaker": _AWS,
    "sagemaker_chat": _AWS,
    "vertex_ai": _VERTEX,
    "vertex_ai_beta": _VERTEX,
    "watsonx": "watsonx_region_name",
}
"""Provider to the name of its region in a request."""


def region_parameter(model: str) -> str:
    """Return LiteLLM's parameter for the region of a `provider/model`.

    Raises:
        ConfigurationError: LiteLLM supports no regions for the provider.
    """
    provider = model.partition("/")[0]
    if (parameter := REGION_PARAMETERS.get(provider)) is None:
        raise ConfigurationError(
            f"the model {model!r} has a region, which {provider} does not take: drop it; "
            f"{', '.join(REGION_PARAMETERS)} take one"
        )
    return parameter
