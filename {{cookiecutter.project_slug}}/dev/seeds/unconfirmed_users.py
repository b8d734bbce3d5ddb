"""Unconfirmed users: none, since they could not log in."""

IS_EMPTY = True
