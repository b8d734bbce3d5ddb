"""The service: routes in `api`, request and response bodies in `schemas`, storage in `db`."""
