"""Changes to the path of a request before it is routed."""

from starlette.types import ASGIApp, Receive, Scope, Send


class RootPathMiddleware:
    """Adds the path prefix of a reverse proxy, unless the proxy has left it in the path.

    By the definition of ASGI, `path` includes `root_path`; links made from it work for the client.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope["root_path"] = self.root_path
            path = scope["path"]
            # The paths of the routes start with `/api/` too, so the prefix `/api` cannot be
            # recognized. It is always added: the proxy has to remove it.
            if not path.startswith(self.root_path + "/") or path.startswith("/api/"):
                scope["path"] = self.root_path + path
        await self.app(scope, receive, send)


class TrailingSlashMiddleware:
    """Routes `/articles/` like `/articles`, where a redirect would cost a second request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/"):
            root_path = scope.get("root_path", "")
            path = scope["path"].rstrip("/")
            # The root keeps its slash.
            scope["path"] = f"{root_path}/" if path == root_path else path
        await self.app(scope, receive, send)
