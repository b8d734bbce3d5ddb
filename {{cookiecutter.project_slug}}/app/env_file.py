r"""Reader of `.env` that takes values literally.

pydantic-settings reads the file with python-dotenv, which changes some values silently: it expands
`${NAME}`, decodes escapes such as `\t` in double quotes, and skips lines that it cannot parse. A
password with such characters would be changed without an error. This module uses only the parser
of python-dotenv, expands nothing, and rejects every line that could be understood in two ways.
"""

import re
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream


class EnvFileError(ValueError):
    """An invalid or unreadable file; the message names the file and the line, never a value."""


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables in a file, or none if the file does not exist.

    Raises `EnvFileError` if the file is unreadable or if a line is invalid or ambiguous.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise EnvFileError(f"{path} cannot be read: {error.strerror}") from None
    variables: dict[str, str] = {}
    for binding in parse_stream(StringIO(_decode(content, path), newline=None)):
        if problem := _find_problem(binding):
            raise EnvFileError(f"{path}, line {_line_number(binding)}: {problem}")
        if binding.key is not None and binding.value is not None:
            variables[binding.key] = binding.value
    return variables


def _decode(content: bytes, path: Path) -> str:
    try:
        # Editors on Windows may write a byte order mark, which "utf-8-sig" removes.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EnvFileError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from None
    # ASCII text that is saved as UTF-16 without a byte order mark is valid UTF-8 with NULs.
    if "\0" in text:
        raise EnvFileError(f"{path} is not UTF-8; save the file as UTF-8")
    return text


def _find_problem(binding: Binding) -> str | None:
    if binding.error or (binding.key is not None and binding.value is None):
        return "expected NAME=value, or the closing quote is missing"
    source = binding.original.string.partition("=")[2]
    is_quoted = source.lstrip().startswith(("'", '"'))
    if binding.key is not None and not is_quoted and re.search(r"\s#", source):
        return "' #' is ambiguous: quote the value, or move the comment to its own line"
    if is_quoted and "\n" in str(binding.value):
        return "the closing quote is missing at the end of the line"
    # In double quotes the parser decodes escapes, so the value differs from the text of the file.
    if source.lstrip().startswith('"') and str(binding.value) not in source:
        return "a backslash in double quotes is ambiguous: use single quotes"
    return None


def _line_number(binding: Binding) -> int:
    text = binding.original.string
    # The text of a binding includes the blank lines above it.
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
