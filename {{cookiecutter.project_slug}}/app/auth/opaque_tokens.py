"""Opaque tokens: refresh tokens and API keys, which are stored as hashes."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Self
from uuid import UUID, uuid4

_ID_BYTES, _SECRET_BYTES = 16, 32


@dataclass(frozen=True)
class OpaqueToken:
    """The ID of a row and a random secret. The row has the hash of the secret."""

    #: Begins the text of each token of the class.
    prefix: ClassVar[str] = ""

    id: UUID
    secret: bytes

    @classmethod
    def new(cls, row_id: UUID | None = None) -> Self:
        """Return a token with a new secret, for the given row or for a new one."""
        return cls(row_id or uuid4(), secrets.token_bytes(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the token that `encode` encoded, or None if the text is malformed."""
        try:
            content = urlsafe_b64decode(text.removeprefix(cls.prefix))
        except ValueError:
            return None
        if len(content) != _ID_BYTES + _SECRET_BYTES:
            return None
        token = cls(UUID(bytes=content[:_ID_BYTES]), content[_ID_BYTES:])
        # The decoder ignores characters outside its alphabet, so many texts decode to the same
        # token. Accept only the text that was issued.
        return token if token.encode() == text else None

    def encode(self) -> str:
        """Return the text that is sent to the client."""
        return self.prefix + urlsafe_b64encode(self.id.bytes + self.secret).decode()

    @property
    def secret_hash(self) -> str:
        """The hash to store. A random secret of 256 bits needs no salt and no slow hash."""
        return sha256(self.secret).hexdigest()


class RefreshToken(OpaqueToken):
    """A single-use token of a family, which has one row.

    A family consists of the token that a login returned and of its successors. Only the hash of the
    latest secret is stored. A used secret no longer matches, and the caller revokes the whole
    family (reuse detection).
    """


class ApiKey(OpaqueToken):
    """An API key, which has one row."""

    #: Lets programs that search for leaked secrets recognize a key. No access token begins so.
    prefix: ClassVar[str] = "ak_"
