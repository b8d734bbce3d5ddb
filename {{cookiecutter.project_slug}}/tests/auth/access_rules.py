"""Rules of access: the expected statuses of an operation for each caller."""

from typing import NamedTuple

from app.auth.scopes import ADMIN_SCOPE

#: Without credentials, or with a deleted API key.
UNKNOWN = ("anonymous", "revoked_key")
#: Other users than the owner of the rows.
OTHERS = ("other", "administrator")
#: The owner, with an access token or an API key. `with_scope` are those with the scope of the rule;
#: the owner of `key_without_scope` has it, but not the key.
SESSIONS = ("user", "with_scope")
KEYS = ("key", "key_without_scope")
CALLERS = (*UNKNOWN, *OTHERS, *SESSIONS, *KEYS)


class Rule(NamedTuple):
    """Statuses by caller, of which any may occur; and the scope of `with_scope` and `key`."""

    statuses: dict[str, tuple[int, ...]]
    scope: str | None = None


def anyone(*statuses: int) -> Rule:
    """Expect these statuses for all callers."""
    return Rule(dict.fromkeys(CALLERS, statuses))


def users(*statuses: int) -> Rule:
    """Expect these statuses for all users and their API keys."""
    return Rule(anyone(*statuses).statuses | dict.fromkeys(UNKNOWN, (401,)))


def owner(*statuses: int) -> Rule:
    """Expect these statuses for the owner of the row and the owner's keys; 404 for other users.

    A value that the service rejects may be found before the row is.
    """
    errors = [status for status in statuses if status >= 400]
    return Rule(users(*statuses).statuses | dict.fromkeys(OTHERS, (404, *errors)))


def without_key(rule: Rule) -> Rule:
    """Expect the same without API keys, which are rejected."""
    return Rule(rule.statuses | dict.fromkeys(KEYS, (401,)))


def scope(name: str, *statuses: int) -> Rule:
    """Expect these statuses for users and keys with a scope; 403 for others."""
    lacking = {"user", "key_without_scope", *OTHERS}
    if name == ADMIN_SCOPE:
        lacking.remove("administrator")
    return Rule(users(*statuses).statuses | dict.fromkeys(lacking, (403,)), name)
