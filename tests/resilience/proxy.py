"""Proxies between the service and PostgreSQL that count round trips or terminate TLS."""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from resilience.postgres_server import PostgresServer

SSL_REQUEST = bytes.fromhex("00000008 04d2162f")


class Proxy:
    """Proxy that forwards bytes, and counts round trips and encrypted connections."""

    def __init__(self, server: PostgresServer, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._tls = tls
        self._clients: set[asyncio.Task[None]] = set()
        self.round_trips = 0
        self.encrypted = 0

    async def accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Handle a new client; the callback of the listener."""
        client = asyncio.create_task(self._serve(reader, writer))
        self._clients.add(client)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(self._server.socket)
        # A client that rejects the certificate closes the connection.
        with closing(server_writer), closing(writer), suppress(OSError, EOFError):
            if self._tls:
                assert await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST
                writer.write(b"S")
                await writer.start_tls(self._tls)
                self.encrypted += 1
            await self._copy_both_ways(reader, writer, server_reader, server_writer)

    async def _copy_both_ways(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        server_reader: StreamReader,
        server_writer: StreamWriter,
    ) -> None:
        is_waiting = False

        async def copy(source: StreamReader, target: StreamWriter, *, is_request: bool) -> None:
            nonlocal is_waiting
            while data := await source.read(65536):
                # Consecutive chunks in the same direction belong to one round trip.
                self.round_trips += is_request and not is_waiting
                is_waiting = is_request
                target.write(data)
                await target.drain()
            target.close()

        await asyncio.gather(
            copy(reader, server_writer, is_request=True),
            copy(server_reader, writer, is_request=False),
        )


@asynccontextmanager
async def counting_proxy(
    server: PostgresServer, folder: Path
) -> AsyncIterator[tuple[Proxy, PostgresServer]]:
    """Run a proxy on a Unix socket; yield it, and the server as clients of the proxy see it."""
    proxy, through_proxy = Proxy(server), PostgresServer(str(folder), server.port)
    listener = await asyncio.start_unix_server(proxy.accept, through_proxy.socket)
    with closing(listener):
        yield proxy, through_proxy
    await proxy.close()


@asynccontextmanager
async def tcp_proxy(
    server: PostgresServer, tls: ssl.SSLContext | None
) -> AsyncIterator[tuple[Proxy, PostgresServer]]:
    """Run a proxy on a TCP port; yield it, and the server as clients of the proxy see it."""
    proxy = Proxy(server, tls)
    listener = await asyncio.start_server(proxy.accept, "127.0.0.1")
    host, port = listener.sockets[0].getsockname()
    with closing(listener):
        yield proxy, PostgresServer(host, str(port))
    await proxy.close()
