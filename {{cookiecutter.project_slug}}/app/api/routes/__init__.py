"""One module a resource; each has a `router`, and `app.api.router` finds them all."""
