"""The file `.env`, whose values are taken as they are written."""

import re
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream


class EnvFileError(ValueError):
    """The file cannot be read; names it and the line, never a value."""


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables in a file, none if it does not exist.

    Nothing is expanded. Raises `EnvFileError` if the file is unreadable, or a line ambiguous.
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
            raise EnvFileError(f"{path}, line {_line_of(binding)}: {problem}")
        if binding.key is not None and binding.value is not None:
            variables[binding.key] = binding.value
    return variables


def _decode(content: bytes, path: Path) -> str:
    try:
        # With or without the mark that editors on Windows put first.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EnvFileError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from None
    if "\0" in text:
        raise EnvFileError(f"{path} is not UTF-8; save the file as UTF-8")
    return text


def _find_problem(binding: Binding) -> str | None:
    if binding.error or (binding.key is not None and binding.value is None):
        return "not NAME=value, or the closing quote is missing"
    written = binding.original.string.partition("=")[2]
    is_quoted = written.lstrip().startswith(("'", '"'))
    if binding.key is not None and not is_quoted and re.search(r"\s#", written):
        return "' #' is ambiguous: quote the value, or move the comment to its own line"
    if is_quoted and "\n" in str(binding.value):
        return "the quote at the start of the value has none at the end of the line"
    # In double quotes the parser decodes `\t` and the like, which a password may contain.
    if written.lstrip().startswith('"') and str(binding.value) not in written:
        return "a backslash in double quotes is ambiguous: use single quotes"
    return None


def _line_of(binding: Binding) -> int:
    text = binding.original.string
    # The text of a binding includes the blank lines above it.
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
