"""The config: its shapes, how it is read, and what is wrong with it."""

from ._config import check_keys, key_from_environment, load_config, read_system
from ._jury_shape import JurorConfig, JuryConfig, Preset, ProtocolConfig
from ._media_limit import most_media_bytes
from ._model_shape import NAME, WAY_KEYS, ModelConfig, Name, Part, VllmConfig
from ._part import Text, Variable
from ._place_limits import check_endpoints, limits_of_places, most_calls
from ._price import PriceConfig
from ._read import as_config, read_config
from ._shape import (
    Config,
    FactsConfig,
    IntentName,
    LimitsConfig,
    RecordConfig,
    RunConfig,
    RunLimitsConfig,
    SetConfig,
    SystemFile,
    TargetConfig,
    TelemetryConfig,
)
from ._words import refused_option

__all__ = [
    "NAME",
    "WAY_KEYS",
    "Config",
    "FactsConfig",
    "IntentName",
    "JurorConfig",
    "JuryConfig",
    "LimitsConfig",
    "ModelConfig",
    "Name",
    "Part",
    "Preset",
    "PriceConfig",
    "ProtocolConfig",
    "RecordConfig",
    "RunConfig",
    "RunLimitsConfig",
    "SetConfig",
    "SystemFile",
    "TargetConfig",
    "TelemetryConfig",
    "Text",
    "Variable",
    "VllmConfig",
    "as_config",
    "check_endpoints",
    "check_keys",
    "key_from_environment",
    "limits_of_places",
    "load_config",
    "most_calls",
    "most_media_bytes",
    "read_config",
    "read_system",
    "refused_option",
]
