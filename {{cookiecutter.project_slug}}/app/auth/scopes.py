"""Scopes: names of permissions that users and API keys have, and that routes require."""

#: The scopes and what each permits, as shown in the API docs. To add one, add a line.
SCOPES = {
    "users:admin": "Administer the accounts of all users.",
    # jinja: if cookiecutter.example
    "articles:write": "Create, change and delete articles.",
    "coupons:write": "Create coupons.",
    # jinja: endif
}
ADMIN_SCOPE = "users:admin"
