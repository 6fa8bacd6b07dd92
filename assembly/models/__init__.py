"""The models of a config, and how those of a command are opened."""

from ._keys import image_keys, model_keys
from ._open import CallStore, FleetMaker, ManagedServers, OpenModels, open_models
from ._spec import model_spec

__all__ = [
    "CallStore",
    "FleetMaker",
    "ManagedServers",
    "OpenModels",
    "image_keys",
    "model_keys",
    "model_spec",
    "open_models",
]
