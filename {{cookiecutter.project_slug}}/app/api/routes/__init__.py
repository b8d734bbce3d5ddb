"""Routes, one module per resource.

By design, no list of routes exists: `app.api.router` includes the `router` of every module in this
package. To add a resource, add its module. The module's docstring is the description of its tag in
OpenAPI, so it is written for the developers of clients.
"""
