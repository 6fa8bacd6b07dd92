"""A PostgreSQL server of the tests' own, on loopback, that ends with them."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

_USER = "safejury"
_REQUIRED = "SAFEJURY_REQUIRE_POSTGRES"


class PostgresServer:
    """A server whose users need a password."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._data = folder / "data"
        self._owner = _other_user()
        self.password = secrets.token_hex(16)
        self.port = _free_port()
        if self._owner is not None:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        word = folder / "password"
        word.write_text(self.password)
        if self._owner is not None:
            os.chown(word, self._owner.pw_uid, self._owner.pw_gid)
        self._run(
            *("initdb", "-D", str(self._data), "-U", _USER, "--pwfile", str(word)),
            *("-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
        )
        settings = (
            f"listen_addresses = '127.0.0.1'\nport = {self.port}\nfsync = off\n"
            "unix_socket_directories = ''\nmax_connections = 60\nshared_buffers = 32MB\n"
        )
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(settings)

    def url(self, database: str = "postgres", user: str = _USER) -> str:
        """Return the address of a database, without the password."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-l", log, "-w", "-t", "60", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: what is under way is broken off."""
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop")

    def make_database(self) -> str:
        """Make an empty database, and return its address."""
        name = f"d{secrets.token_hex(4)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def sql(self, statement: str, url: str | None = None) -> list[tuple[object, ...]]:
        """Run a statement as the owner of the server."""
        psycopg: Any = import_module("psycopg")
        with psycopg.connect(url or self.url(), password=self.password, autocommit=True) as there:
            found = there.execute(statement)
            return found.fetchall() if found.description else []

    def _run(self, program: str, *arguments: str) -> None:
        owner = self._owner
        as_owner: dict[str, Any] = {}
        if owner is not None:  # root may not run a server
            as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program == "initdb" else subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=120,
            **as_owner,
        )
        log = self._folder / "log"
        said = done.stdout or (log.read_text() if log.exists() else "")
        assert done.returncode == 0, said[-2000:]


@contextmanager
def postgres_server() -> Generator[PostgresServer]:
    """Run a server within the block; skip aloud where there is none."""
    programs = _programs()
    if programs is None:
        why = "PostgreSQL is missing: install the package postgresql, or run `make postgres`"
        assert os.environ.get(_REQUIRED) != "1", why
        pytest.skip(why)
    # Not in a folder of pytest, into which no other user may look.
    with TemporaryDirectory(prefix="safejury-postgres-") as folder:
        server = PostgresServer(programs, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def _programs() -> Path | None:
    """Return the folder of PostgreSQL's programs."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "pg_ctl").exists()), None)


def _other_user() -> pwd.struct_passwd | None:
    """Return whom the server runs as where this is root, None where we may run it."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
