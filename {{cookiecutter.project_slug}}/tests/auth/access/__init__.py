"""Who may use which operation: one module for each module of `app.api.routes`.

`ACCESS` has a rule for each operation of the module, by the name of its function. `ROWS` has the
tables of the IDs in the paths. The rows belong to the caller or, for `other` and `administrator`,
to another user. Other IDs are unknown.
"""
