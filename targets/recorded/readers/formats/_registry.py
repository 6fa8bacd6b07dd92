"""Registers readers by format, and detects the one for a file."""

import codecs
from collections.abc import Mapping
from pathlib import Path

from .....common import ConfigurationError
from .....common.files import not_ready
from .....common.text import did_you_mean, quoted
from ..base import Reader, Sample
from ._garak import READER as _GARAK
from ._garak_hitlog import READER as _GARAK_HITLOG
from ._harmbench import READER as _HARMBENCH
from ._inspect import READER as _INSPECT
from ._jailbreakbench import READER as _JAILBREAKBENCH
from ._lmms_eval import READER as _LMMS_EVAL
from ._omnisafebench import READER as _OMNISAFEBENCH
from ._openai_batch import READER as _OPENAI_BATCH
from ._own import READER as _OWN
from ._promptfoo import READER as _PROMPTFOO
from ._table_csv import READER as _CSV
from ._table_parquet import READER as _PARQUET
from ._xstest import READER as _XSTEST

_READERS = (
    _PARQUET,
    _INSPECT,
    _GARAK,
    _GARAK_HITLOG,
    _JAILBREAKBENCH,
    _PROMPTFOO,
    _OPENAI_BATCH,
    _OMNISAFEBENCH,
    _LMMS_EVAL,
    _HARMBENCH,
    _OWN,  # any other JSON
    _XSTEST,
    _CSV,  # any other text
)

FORMATS: Mapping[str, Reader] = {reader.name: reader for reader in _READERS}
"""All readers by the names of their formats; the first that knows a file reads it."""


def find_reader(path: Path, format: str | None, mapping: Mapping[str, str]) -> Reader:
    """Return the reader for a file.

    Args:
        path: The file, not empty.
        format: Name of the format, None to look at the content.
        mapping: The column mapping; only tables and lines of JSON take one.

    Raises:
        ConfigurationError: The format is unknown or takes no mapping.
        OSError: The file cannot be read.
    """
    if format is not None:
        return _named(format, mapping)
    sample = Sample.of(path)
    if sample.head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigurationError(f"{path}: is UTF-16: save it as UTF-8")
    readers = (_INSPECT,) if not_ready(sample.head) else _READERS  # its logs are zipped
    for reader in readers:
        if (reader.maps or not mapping) and reader.detects(sample):
            return reader
    if why := not_ready(sample.head):
        raise ConfigurationError(f"{path}: {why}")
    raise ConfigurationError(
        f"{path}: its format is not known: say which with --format or `format:`; "
        f"known are {', '.join(FORMATS)}"
    )


def _named(format: str, mapping: Mapping[str, str]) -> Reader:
    reader = FORMATS.get(format)
    if reader is None:
        hint = did_you_mean(format, FORMATS) or f"; known are {', '.join(FORMATS)}"
        raise ConfigurationError(f"there is no format {quoted(format)}{hint}")
    if mapping and not reader.maps:
        raise ConfigurationError(
            f"the format {format} says itself where everything is: leave the column mapping "
            "out, or read the file as jsonl, csv or parquet"
        )
    return reader
