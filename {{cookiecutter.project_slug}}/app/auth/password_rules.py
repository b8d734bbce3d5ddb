"""Rules for new passwords: no common passwords, and no words of the account.

Simple variants are rejected too: other letter case, digits or punctuation before, after and between
the letters, and digits for letters, as in `P4ssw0rd!`.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import dropwhile
from pathlib import Path
from unicodedata import normalize

from pydantic import SecretStr

from app.errors import UnprocessableError

_COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt")
# As in "s3cr3t" and "p4$$w0rd".
_SUBSTITUTED_LETTERS = str.maketrans("013457@$", "oieastas")
# Digits and punctuation at both ends.
_DECORATION = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_SEPARATORS = re.compile(r"[\W_]+")


class WeakPasswordError(UnprocessableError):
    """The new password is easy to guess."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, loc=("body", "password"))
        # For commands, which print the text of an error.
        self.args = (f"password: {reason}",)


def reject_weak_password(password: SecretStr, email: str, service_name: str) -> None:
    """Raise `WeakPasswordError` if the password is common or consists of a word of the account.

    `email` is the e-mail that the account has or will have.
    """
    variants = set(_variants(_fold(password.get_secret_value())))
    if not variants.isdisjoint(_common_passwords()):
        raise WeakPasswordError("This password is too common.")
    if not variants.isdisjoint(_words(_fold(email))):
        raise WeakPasswordError("This password is too similar to the e-mail.")
    if not variants.isdisjoint(_words(_fold(service_name))):
        raise WeakPasswordError("This password is too similar to the name of the service.")


@cache
def _common_passwords() -> frozenset[str]:
    lines = _COMMON_PASSWORDS.read_text("utf-8").split("\n")
    # The comments are at the beginning.
    return frozenset(dropwhile(lambda line: line.startswith("#"), lines)) - {""}


def _fold(text: str) -> str:
    return normalize("NFC", text).casefold()


def _variants(password: str) -> Iterator[str]:
    """Yield the password, and what is left of it without decorations.

    A variant with less than half of the characters is left out: the rest is not decoration.
    """
    core = _DECORATION.sub("", password)
    for text in (password, core):
        for variant in (text, text.translate(_SUBSTITUTED_LETTERS)):
            for word in (variant, _SEPARATORS.sub("", variant)):
                if 2 * len(word) >= len(password):
                    yield word


def _words(name: str) -> set[str]:
    """Return the name, its parts, and their parts without separators."""
    parts = {name, *re.split("[@+]", name), *_SEPARATORS.split(name)}
    return parts | {_SEPARATORS.sub("", part) for part in parts}
