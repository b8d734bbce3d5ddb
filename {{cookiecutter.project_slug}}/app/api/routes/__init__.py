"""Routes, one module per resource.

`app.api.router` includes the `router` of every module in this package, so a new module needs no
registration. The docstring of a module becomes the description of its tag in OpenAPI, so write it
for the developers of clients.
"""
