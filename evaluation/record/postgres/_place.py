"""Where a database keeps the record of a run, as a small file in the run's directory says."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec

from ....assembly.config import RecordConfig, key_from_environment
from ....common import RecordError
from ....common.files import atomic_write
from ....models import redactor

POINTER = "record.postgres.json"
"""File of a run's directory that says which database holds its record, without a password."""
_PASSWORD = "PGPASSWORD"


@dataclass(frozen=True, slots=True)
class Place:
    """A run in a database.

    Attributes:
        url: The database's address, without a password.
        run: The run's name.
        token: What tells the run from another of its name in another database, empty where it
            is not known yet.
        password_env: The variable that holds the password, None where libpq finds it.
    """

    url: str
    run: str
    token: str = ""
    password_env: str | None = None

    @classmethod
    def of(cls, said: RecordConfig, run: str) -> "Place":
        """Return the place that a config names."""
        return cls(said.url, run, password_env=said.password_env)

    @classmethod
    def kept(cls, directory: Path) -> "Place | None":
        """Return what the file of a run's directory says, None where there is none.

        Raises:
            RecordError: It cannot be read.
        """
        path = directory / POINTER
        try:
            said = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise RecordError(f"{path}: cannot be read ({error.strerror}).") from None
        try:
            found = msgspec.json.decode(said, type=cls)
            checked = RecordConfig(url=found.url, password_env=found.password_env)
        except (msgspec.MsgspecError, ValueError):
            raise RecordError(
                f"{path}: does not say which database holds the run: repeat `safejury run`, or "
                "take it out to read the copy beside it."
            ) from None
        return cls(checked.url, found.run, found.token, checked.password_env)

    def keep(self, directory: Path) -> None:
        """Write the file, unless it says so already."""
        text = msgspec.json.format(msgspec.json.encode(self))
        path = directory / POINTER
        if not path.is_file() or path.read_bytes() != text:
            with atomic_write(path, private=True) as file:
                file.write(text)

    def password(self) -> str | None:
        """Return the password, None where libpq looks for it itself.

        Raises:
            ConfigurationError: The variable that holds it is not set.
        """
        redactor.register(os.environ.get(_PASSWORD))
        return key_from_environment(self.password_env, "run.record.password_env")

    @property
    def shown(self) -> str:
        """The database in messages: its address without options."""
        said = urlsplit(self.url)
        return urlunsplit((said.scheme, said.netloc, said.path, "", ""))
