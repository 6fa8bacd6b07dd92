"""Maps a dataset's categories to our scenarios."""

from ._category_map import bundled_name, category_map_for, mapping_of
from ._mapping import CategoryMap, Mapped, category_key, table_of

__all__ = [
    "CategoryMap",
    "Mapped",
    "bundled_name",
    "category_key",
    "category_map_for",
    "mapping_of",
    "table_of",
]
