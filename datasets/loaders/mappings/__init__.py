"""Maps a dataset's categories to our scenarios."""

from ._category_map import bundled_name, categories_for, mapping_of
from ._mapping import Categories, Mapped, category_key, table_of

__all__ = [
    "Categories",
    "Mapped",
    "bundled_name",
    "categories_for",
    "category_key",
    "mapping_of",
    "table_of",
]
