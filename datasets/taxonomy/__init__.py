"""The taxonomy of 8 categories and 23 scenarios, and its mapping to others."""

from ._crosswalk import Counterparts, Crosswalk, crosswalk
from ._taxonomy import (
    TAXONOMY_NAME,
    UNCATEGORISED,
    Category,
    Scenario,
    Taxonomy,
    load_taxonomy,
    read_taxonomy,
    taxonomy_beside,
    taxonomy_of,
)
from ._taxonomy_file import RESERVED

__all__ = [
    "RESERVED",
    "TAXONOMY_NAME",
    "UNCATEGORISED",
    "Category",
    "Counterparts",
    "Crosswalk",
    "Scenario",
    "Taxonomy",
    "crosswalk",
    "load_taxonomy",
    "read_taxonomy",
    "taxonomy_beside",
    "taxonomy_of",
]
