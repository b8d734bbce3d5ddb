"""A reverse proxy that serves an application below a path prefix, and removes the prefix."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@contextmanager
def published(upstream: str, prefix: str) -> Iterator[str]:
    """Yield the URL, including the prefix, of a proxy that forwards requests to `upstream`."""

    class Proxy(BaseHTTPRequestHandler):
        def forward(self) -> None:
            if not self.path.startswith(prefix + "/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with closing(HTTPConnection(urlsplit(upstream).netloc, timeout=60)) as server:
                path = self.path.removeprefix(prefix)
                server.request(self.command, path, body, dict(self.headers))
                response = server.getresponse()
                content = response.read()
            self.send_response_only(response.status)
            for name, value in response.getheaders():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_DELETE = do_GET = do_PATCH = do_POST = forward  # noqa: N815 - names of the base class

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002
            """Write no access log, to keep the output of the test readable."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}{prefix}"
        finally:
            proxy.shutdown()
            thread.join()
