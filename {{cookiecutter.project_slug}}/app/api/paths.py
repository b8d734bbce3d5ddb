"""The path of a request as it is written into a URL."""

from urllib.parse import quote

from starlette.types import Scope

# What a segment may contain as it is: https://www.rfc-editor.org/rfc/rfc3986#section-3.3
_SEGMENT = "!$&'()*+,;=:@"


def encoded_path(scope: Scope, *segments: object) -> str:
    """Return the path of the request, percent-encoded, with further segments appended.

    For every header and body that contains a path: the server has decoded `scope["path"]`, where a
    line break would end a header and `?` would start a query.
    """
    path = quote(scope["path"], safe="/" + _SEGMENT)
    if path.startswith("//"):
        # A client would read the first segment as a host.
        path = "/%2F" + path[2:]
    return "/".join([path, *(quote(str(segment), safe=_SEGMENT) for segment in segments)])
