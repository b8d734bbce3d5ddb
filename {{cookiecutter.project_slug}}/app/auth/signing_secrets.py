"""Recognizes signing secrets that were typed or copied instead of generated.

One access token is enough to test guesses of the secret offline, as fast as SHA-256 runs.
"""

import re
from base64 import b64decode

GENERATE_HINT = 'make one: python -c "import secrets; print(secrets.token_urlsafe(48))"'
_MIN_BYTES = 32

# Six letters or more: fewer than one in a million random secrets contain one of them.
_PLACEHOLDERS = ("change", "default", "example", "insecure", "password", "replace", "secret")
# Published in tutorials, and copied from there into production.
_PUBLISHED = (
    # FastAPI
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    # Flask
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    # Spring
    "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",
    "5367566b59703373367639792f423f4528482b4d6251655468576d5a71347437",
    "9a4f2c8d3b7a1e6f45c8a0b3f267d8b1d4e6f3c8a9d2b5f8e3a9c8b5f6v8a3d9",
    # SHA-256 of nothing
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
)

_SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz 01234567890123456789 "
    "acegikmoqsuwy bdfhjlnprtvxz 13579 24680 31415926535897932384626433832795 "
    "000102030405060708090a0b0c0d0e0f 1a2b3c4d5e6f7g8h9i0j "
    "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0 "
    # Rows and columns of keyboards
    'qwertyuiop asdfghjkl; zxcvbnm,./ qwertzuiop azertyuiop !@#$%^&*()_+ !"#$%&/()=? '
    "qazwsxedcrfvtgbyhnujmikolp 1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/ "
    "!qaz@wsx#edc$rfv%tgb^yhn&ujm*ik, 1q2w3e4r5t6y7u8i9o0p q1w2e3r4t5y6u7i8o9p0 "
    "correcthorsebatterystaple thequickbrownfoxjumpsoverthelazydog "
    "loremipsumdolorsitametconsecteturadipiscingelit"
)
_WORDS = (
    "a abc access account admin all and any api app application at auth authentication away "
    "backend base64 be before bit bits business by byte bytes can character characters company "
    "cookie database deploy deploying dev development do docker dummy encryption enough fake "
    "fastapi fix foo bar baz for from generate generated go goes guess hash hello here hex hmac "
    "hs256 in insert is it its jwt jwtkey keep key keyfor keys know knows least length letmein "
    "local long longer minimum must my mykey no nobody none not now of only or own paste "
    "placeholder please private prod production project put qwerty random real refresh safe "
    "sample secure security service session set should sign signature signing some sort staging "
    "string strong super sure temp temporary test testing that the thekey their this thisis "
    "thirty to todo token tokens two unsafe update use used user value very web will with world "
    "write xxx you your yours 2020 2021 2022 2023 2024 2025 2026 2027 2028 2029 2030"
)
_KNOWN = "-".join(["", *_SEQUENCES.split(), *_SEQUENCES[::-1].split(), *_WORDS.split(), ""])
# Random secrets contain shorter strings, too.
_MIN_KNOWN = 4
# A random text has almost as many pieces as characters, a typed one hardly half as many.
_MIN_SHARE = 0.55
_STANDARD_BASE64 = str.maketrans("-_", "+/")
# As in "s3cr3t" and "p4$$w0rd".
_SUBSTITUTED = str.maketrans("013457@$", "oieastas")


def find_weakness(secret: str) -> str | None:
    """Return what makes the secret weak, without the secret itself, or None for a strong one."""
    if len(secret.encode()) < _MIN_BYTES:
        return f"has fewer than {_MIN_BYTES} bytes"
    if _is_guessable(secret) or _is_guessable(_decode(secret)):
        return "can be guessed"
    return None


def _decode(secret: str) -> str:
    """Return the text that the secret is in base64, or an empty string if it is not."""
    try:
        padded = secret.translate(_STANDARD_BASE64) + "=" * (-len(secret) % 4)
        text = b64decode(padded, validate=True).decode("ascii")
    except ValueError:
        return ""
    return text if text.isprintable() else ""


def _is_guessable(text: str) -> bool:
    text = text.lower()
    if any(known in text for known in (*_PLACEHOLDERS, *_PUBLISHED)):
        return True
    # As it is, without substitutions, and without doubled characters.
    spellings = (text, text.translate(_SUBSTITUTED), re.sub(r"(.)\1+", r"\1", text))
    return any(_count_pieces(each) < _MIN_SHARE * len(each) for each in spellings)


def _count_pieces(text: str) -> int:
    """Return the number of pieces that the text consists of, from left to right.

    A piece is a part of a known sequence or word, a repetition of what is to the left of it, or
    else a single character. A random text has about as many pieces as characters.
    """
    text = re.sub(r"[\s._]", "-", text)
    pieces = start = 0
    while start < len(text):
        end = start + _MIN_KNOWN
        while end <= len(text) and _is_known(text, start, end):
            end += 1
        longest = end - 1 - start
        start += longest if longest >= _MIN_KNOWN else 1
        pieces += 1
    return pieces


def _is_known(text: str, start: int, end: int) -> bool:
    piece = text[start:end]
    return piece in _KNOWN or text.find(piece) < start
