"""Percent-encoded paths for headers and response bodies.

`scope["path"]` is decoded: it may contain line breaks, which would end a header, and `?`, which
would start a query. So these functions encode every path that a response contains.
"""

from urllib.parse import quote

from starlette.types import Scope

# The characters of a path segment that need no encoding:
# https://www.rfc-editor.org/rfc/rfc3986#section-3.3
_SEGMENT_CHARACTERS = "!$&'()*+,;=:@"


def request_path(scope: Scope) -> str:
    """Return the path of the request, with the path prefix of a reverse proxy."""
    path = quote(scope["path"], safe="/" + _SEGMENT_CHARACTERS)
    if path.startswith("//"):
        # Otherwise a client would read the first segment as a host.
        path = "/%2F" + path[2:]
    return path


def location_of(scope: Scope, resource_id: object) -> str:
    """Return the path of a resource that a POST to its collection has created."""
    return f"{request_path(scope)}/{quote(str(resource_id), safe=_SEGMENT_CHARACTERS)}"
