"""HTTP: routes, their dependencies, middleware and error responses."""
