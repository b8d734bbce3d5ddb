"""Detection of weak signing secrets: typed or copied text instead of random characters.

An attacker who has one access token can test guesses of the secret offline, as fast as SHA-256
runs.

A secret is weak if it is short, contains a placeholder or a published example, or compresses well.
To measure how well it compresses, the secret is split into pieces. A piece is a part of a known
word or sequence, a repetition of earlier text, or else a single character. Random text has almost
as many pieces as characters, typed text far fewer.
"""

import re
from base64 import b64decode

GENERATE_HINT = 'generate one: python -c "import secrets; print(secrets.token_urlsafe(48))"'
_MIN_BYTES = 32

# Each has six letters or more, so fewer than one in a million random secrets contain one.
_PLACEHOLDERS = ("change", "default", "example", "insecure", "password", "replace", "secret")
# Examples from tutorials, which people copy into production.
_PUBLISHED = (
    # FastAPI
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    # Flask
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    # Spring
    "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",
    "5367566b59703373367639792f423f4528482b4d6251655468576d5a71347437",
    "9a4f2c8d3b7a1e6f45c8a0b3f267d8b1d4e6f3c8a9d2b5f8e3a9c8b5f6v8a3d9",
    # SHA-256 of the empty string
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
)

# Alphabets, digits, keyboard rows and columns, well-known phrases.
_SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz 01234567890123456789 "
    "acegikmoqsuwy bdfhjlnprtvxz 13579 24680 31415926535897932384626433832795 "
    "000102030405060708090a0b0c0d0e0f 1a2b3c4d5e6f7g8h9i0j "
    "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0 "
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
# One text that contains every sequence, forwards and backwards, and every word.
_KNOWN = "-".join(["", *_SEQUENCES.split(), *_SEQUENCES[::-1].split(), *_WORDS.split(), ""])
# Shorter parts of words and sequences are not counted as one piece, because random secrets contain
# them by chance.
_MIN_PIECE_LENGTH = 4
# A secret with fewer pieces per character is weak. Random secrets have almost 1, typed ones rarely
# more than 0.5.
_MIN_PIECE_RATIO = 0.55
_URLSAFE_TO_STANDARD_BASE64 = str.maketrans("-_", "+/")
# As in "s3cr3t" and "p4$$w0rd".
_SUBSTITUTED_LETTERS = str.maketrans("013457@$", "oieastas")


def find_weakness(secret: str) -> str | None:
    """Return why the secret is weak, without quoting it, or None if it is strong."""
    if len(secret.encode()) < _MIN_BYTES:
        return f"has fewer than {_MIN_BYTES} bytes"
    if _is_guessable(secret) or _is_guessable(_decode_base64(secret)):
        return "is easy to guess or a published example"
    return None


def _decode_base64(secret: str) -> str:
    """Return the printable text that the secret encodes, or an empty string."""
    try:
        padded = secret.translate(_URLSAFE_TO_STANDARD_BASE64) + "=" * (-len(secret) % 4)
        text = b64decode(padded, validate=True).decode("ascii")
    except ValueError:
        return ""
    return text if text.isprintable() else ""


def _is_guessable(text: str) -> bool:
    text = text.lower()
    if any(known in text for known in (*_PLACEHOLDERS, *_PUBLISHED)):
        return True
    with_letters = text.translate(_SUBSTITUTED_LETTERS)
    without_doubles = re.sub(r"(.)\1+", r"\1", text)
    return any(
        _count_pieces(variant) < _MIN_PIECE_RATIO * len(variant)
        for variant in (text, with_letters, without_doubles)
    )


def _count_pieces(text: str) -> int:
    """Return the number of pieces that the text consists of.

    Read from left to right, each piece is the longest known part that starts there, or a single
    character if there is none.
    """
    text = re.sub(r"[\s._]", "-", text)
    pieces = start = 0
    while start < len(text):
        start += _piece_length(text, start)
        pieces += 1
    return pieces


def _piece_length(text: str, start: int) -> int:
    """Return the length of the longest known part at `start`, or 1 if there is none."""
    length = 1
    # If a part is unknown, all longer ones are, too.
    for end in range(start + _MIN_PIECE_LENGTH, len(text) + 1):
        piece = text[start:end]
        is_repetition = text.find(piece) < start
        if piece not in _KNOWN and not is_repetition:
            break
        length = len(piece)
    return length
