"""A PostgreSQL server of its own for the tests that need one, where its programs are installed."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Server(NamedTuple):
    """Where a server listens, and as whom to log in."""

    host: str
    port: int
    user: str
    password: str
    dbname: str

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.dbname}"


def programs() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``, or None."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


def _as_server_user() -> list[str] | None:
    """How to start a program as a user that the server accepts, which root is not; None where there is no way."""
    if os.geteuid() != 0:
        return []
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        account = pwd.getpwnam("nobody")
    setpriv = shutil.which("setpriv")
    return [setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"] if setpriv else None


def why_not() -> str | None:
    """Why no server can be started here, or None."""
    if programs() is None:
        return "PostgreSQL's initdb and pg_ctl are not installed (Debian: apt-get install postgresql)"
    if _as_server_user() is None:
        return "PostgreSQL refuses to run as root, and setpriv (util-linux) is not there to start it as another user"
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A fresh cluster in a temporary folder, stopped and removed at the end."""
    folder, prefix = programs(), _as_server_user()
    assert folder is not None and prefix is not None, why_not()
    root = Path(tempfile.mkdtemp(prefix="arrow_cache_pg_"))
    if prefix:
        shutil.chown(root, int(prefix[1].split("=")[1]), int(prefix[2].split("=")[1]))
    server = Server("127.0.0.1", _free_port(), "tester", "s3cr:et/word", "postgres")
    secret, data = root / "password", root / "data"
    secret.write_text(server.password)
    secret.chmod(0o644)

    def run(*command: str) -> None:
        done = subprocess.run([*prefix, *command], cwd=root, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C", "TZ": "UTC"})
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    try:
        run(str(folder / "initdb"), "-D", str(data), "-U", server.user, "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-sync")
        options = f"-p {server.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=20"
        # To a file of its own: a pipe would stay open as long as the server runs.
        run(str(folder / "pg_ctl"), "-D", str(data), "-l", str(root / "log"), "-o", options, "-w", "-t", "60", "start")
        try:
            yield server
        finally:
            run(str(folder / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(root, ignore_errors=True)
