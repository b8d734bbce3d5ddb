"""Middleware that changes the path of a request: the proxy's prefix, and trailing slashes."""

from starlette.types import ASGIApp, Receive, Scope, Send


class RootPathMiddleware:
    """Adds the path prefix of a reverse proxy (`ROOT_PATH`), unless the path already has it.

    Some proxies remove the prefix, and others forward it. In ASGI, `scope["path"]` includes
    `scope["root_path"]`, so links that are built from the path work for the client.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope["root_path"] = self.root_path
            path = scope["path"]
            has_prefix = path.startswith(self.root_path + "/")
            # The routes start with `/api/`. With the prefix `/api`, a path does not show whether
            # the proxy has removed the prefix. So that prefix is always added, and the proxy has to
            # remove it.
            if not has_prefix or path.startswith("/api/"):
                scope["path"] = self.root_path + path
        await self.app(scope, receive, send)


class TrailingSlashMiddleware:
    """Routes `/articles/` like `/articles`. A redirect would cost a second request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/"):
            root_path = scope.get("root_path", "")
            path = scope["path"].rstrip("/")
            # The path of the root is a slash.
            scope["path"] = f"{root_path}/" if path == root_path else path
        await self.app(scope, receive, send)
