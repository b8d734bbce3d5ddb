"""Routes, one module per resource.

`app.api.router` includes the `router` of every module in this package, so a new module needs no
registration. Its docstring becomes the description of its tag in OpenAPI: write it for the
developers of clients.
"""
