"""Percent-encoded paths for headers and bodies."""

from urllib.parse import quote

from starlette.types import Scope

# The characters of a path segment that need no encoding:
# https://www.rfc-editor.org/rfc/rfc3986#section-3.3
_SEGMENT = "!$&'()*+,;=:@"


def encoded_path(scope: Scope, *segments: object) -> str:
    """Return the path of the request, percent-encoded, with further segments appended.

    Use it for every path in a header or a body: `scope["path"]` is decoded, so it may contain line
    breaks, which would end a header, and `?`, which would start a query.
    """
    path = quote(scope["path"], safe="/" + _SEGMENT)
    if path.startswith("//"):
        # Otherwise a client would read the first segment as a host.
        path = "/%2F" + path[2:]
    return "/".join([path, *(quote(str(segment), safe=_SEGMENT) for segment in segments)])
