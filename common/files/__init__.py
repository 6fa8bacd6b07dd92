"""Reads and writes files: atomic, private, YAML, prompts."""

from ._atomic import make_private, private_folder, replacing
from ._not_ready import HEAD_BYTES, not_ready, pointer, refuse_pointer
from ._paths import beside, is_written_as_path, unwritable
from ._private_database import private_database
from ._prompt_folder import PromptFolder
from ._text_file import read_text_and_bytes, read_text_file
from ._yaml_file import Step, YamlDocument, read_yaml

__all__ = [
    "HEAD_BYTES",
    "PromptFolder",
    "Step",
    "YamlDocument",
    "beside",
    "is_written_as_path",
    "make_private",
    "not_ready",
    "pointer",
    "private_database",
    "private_folder",
    "read_text_and_bytes",
    "read_text_file",
    "read_yaml",
    "refuse_pointer",
    "replacing",
    "unwritable",
]
