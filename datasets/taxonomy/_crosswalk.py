"""Maps our scenarios to other taxonomies."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from ...common.files import read_yaml


class Counterparts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The counterparts of a scenario in other taxonomies, closest first.

    Attributes:
        mlcommons: Hazards of MLCommons AILuminate, such as `spc_hlt`.
        llama_guard: Categories of Llama Guard 3, such as `S6`.
    """

    mlcommons: tuple[str, ...]
    llama_guard: tuple[str, ...]


class Crosswalk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The crosswalk table.

    Attributes:
        hazards: Titles of the MLCommons hazards by code.
        llama_guard: Titles of the Llama Guard categories by code.
        scenarios: Counterparts by our scenario's id; all 23 are there.
    """

    hazards: Mapping[str, str]
    llama_guard: Mapping[str, str]
    scenarios: Mapping[str, Counterparts]


@cache
def crosswalk() -> Crosswalk:
    """Return the bundled crosswalk; the file is read once per process."""
    return read_yaml(Path(__file__).with_name("crosswalk.yaml"), Crosswalk)
