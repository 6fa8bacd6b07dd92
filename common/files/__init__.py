"""Reads and writes files: atomic, private, YAML, prompts."""

from ._atomic import append_line, atomic_write, make_private, open_regular, private_folder
from ._clone import clone_into
from ._not_ready import HEAD_BYTES, lfs_pointer, not_ready, refuse_pointer
from ._paths import is_written_as_path, resolve_path, write_error
from ._private_database import private_database
from ._prompt_folder import PromptFolder
from ._text_file import read_text_and_bytes, read_text_file
from ._yaml_file import Step, YamlDocument, read_yaml

__all__ = [
    "HEAD_BYTES",
    "PromptFolder",
    "Step",
    "YamlDocument",
    "append_line",
    "atomic_write",
    "clone_into",
    "is_written_as_path",
    "lfs_pointer",
    "make_private",
    "not_ready",
    "open_regular",
    "private_database",
    "private_folder",
    "read_text_and_bytes",
    "read_text_file",
    "read_yaml",
    "refuse_pointer",
    "resolve_path",
    "write_error",
]
