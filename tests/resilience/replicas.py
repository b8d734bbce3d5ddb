"""A PostgreSQL primary and a streaming standby, which tests stop, kill and promote."""

import asyncio
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil
from conftest import Project

from resilience.postgres_server import PASSWORD, PostgresServer
from resilience.project_venv import venv_environment, venv_python

HBA = """
local all         all           trust
local replication all           trust
host  all         all samehost  scram-sha-256
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Node:
    """A PostgreSQL server that listens on a TCP port and, for the superuser, on a Unix socket."""

    project: Project
    folder: Path
    name: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / self.name

    @property
    def server(self) -> PostgresServer:
        return PostgresServer(str(self.data), str(self.port))

    @property
    def host_and_port(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def run(self, program: str, *options: str) -> None:
        """Run a PostgreSQL program on the data folder and wait until it exits."""
        process = self._spawn(program, *options)
        # The script kills the program when its standard input is closed, so close it afterwards.
        await asyncio.to_thread(process.wait)
        assert process.stdin
        process.stdin.close()
        assert process.returncode == 0, self.data.with_suffix(".log").read_text("utf-8")

    async def start(self, **settings: str) -> None:
        """Start the server, and wait until it accepts connections."""
        listen = {"port": str(self.port), "unix_socket_directories": str(self.data)}
        hba = self.folder / "pg_hba.conf"
        hba.write_text(HBA, "utf-8")
        settings = {"listen_addresses": "127.0.0.1", "hba_file": str(hba), **listen, **settings}
        self.process = self._spawn("postgres", *(f"-c{k}={v}" for k, v in settings.items()))
        async with asyncio.timeout(60):
            while True:
                assert self.process.poll() is None, self.data.with_suffix(".log").read_text("utf-8")
                try:
                    await self.execute("SELECT 1")
                except (OSError, asyncpg.PostgresError):
                    await asyncio.sleep(0.05)
                else:
                    return

    async def execute(self, *statements: str) -> None:
        """Run statements as the superuser, each in its own transaction."""
        async with self.server.superuser_connection() as superuser:
            for statement in statements:
                await superuser.execute(statement)

    async def stop(self, how: signal.Signals) -> None:
        """Stop the server with a signal; SIGKILL goes to all of its processes at once."""
        if self.process is None:
            return
        postmaster = psutil.Process(
            int((self.data / "postmaster.pid").read_text("utf-8").split()[0])
        )
        processes = [postmaster]
        if how is signal.SIGKILL:
            postmaster.suspend()
            processes = [*postmaster.children(), postmaster]
        for process in processes:
            process.send_signal(how)
        await asyncio.to_thread(self.process.communicate)
        self.process = None

    def _spawn(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [venv_python(self.project), "-m", "run_program", program, self.data, *options],
            cwd=self.project.path,
            env=venv_environment(),
            stdin=subprocess.PIPE,
        )


@asynccontextmanager
async def primary(project: Project, folder: Path, **settings: str) -> AsyncIterator[Node]:
    """Run a primary with the role `service` until the block ends."""
    node = Node(project, folder, "a")
    await node.run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--no-locale")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(node.stop, signal.SIGKILL)
        await node.start(**settings)
        password = PASSWORD.replace("'", "''")
        await node.execute(f"CREATE ROLE service LOGIN PASSWORD '{password}'")
        yield node


@asynccontextmanager
async def standby(primary: Node, *, is_synchronous: bool = True) -> AsyncIterator[Node]:
    """Run a streaming standby until the block ends.

    A synchronous standby has every transaction whose commit the primary has confirmed.
    """
    node = Node(primary.project, primary.folder, "b")
    source = f"host={primary.data} port={primary.port} user=postgres"
    await node.run("pg_basebackup", "-R", "-c", "fast", "--no-sync", "-d", source)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(node.stop, signal.SIGKILL)
        await node.start()
        if is_synchronous:
            await primary.execute(
                "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"
            )
        yield node


def dsn(database: str, *nodes: Node, attrs: str | None = None) -> str:
    """Return the DSN of a database with several hosts, for the role `service`."""
    hosts = ",".join(node.host_and_port for node in nodes)
    query = f"?target_session_attrs={attrs}" if attrs else ""
    return f"postgresql://service:{quote(PASSWORD, safe='')}@{hosts}/{database}{query}"
