"""The HTTP API: routes, their dependencies, middleware and error responses."""
