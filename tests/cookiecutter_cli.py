"""The commands `cookiecutter` and `cruft`, run as in a shell or in CI."""

import json
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from choices import CHOICES, CONTEXT, REFERENCE
from conftest import TEMPLATE, clean_environment
from cookiecutter.cli import main
from jinja2 import TemplateError
from rendered_hooks import FREE_TEXT, with_quoted

Done = subprocess.CompletedProcess[str]

# What these tests create next to the working directory.
TEST_FILES = {"work", "config.yaml", "replay", "replay.json"}


def run_command(
    *command: str,
    cwd: Path,
    variables: Mapping[str, str] = {},
    stdin: str = "",
    umask: int = -1,
) -> Done:
    """Run a Python module as a command, with standard output and standard error apart."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        env=clean_environment(variables),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        umask=umask,
        check=False,
    )


def write_config(folder: Path, defaults: Mapping[str, object] = {}) -> Path:
    """Write a user configuration that records nothing outside `folder`, and return its path.

    Its defaults are the reference values and `defaults`.
    """
    config = folder / "config.yaml"
    folders = {name: str(folder / "replay") for name in ("replay_dir", "cookiecutters_dir")}
    values = {**folders, "default_context": REFERENCE | dict(defaults)}
    config.write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
    return config


def cookiecutter(
    folder: Path,
    *arguments: str,
    defaults: Mapping[str, object] = {},
    variables: Mapping[str, str] = {},
    typed: Sequence[str] = (),
    flags: Sequence[str] = ("--no-input",),
    template: Path | str = TEMPLATE,
    umask: int = -1,
) -> Done:
    """Run cookiecutter in `folder`/work, with prompts only if there are lines to type."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    options = ["--config-file", str(write_config(folder, defaults)), *([] if typed else flags)]
    stdin = "".join(f"{line}\n" for line in typed)
    command = ("cookiecutter", *options, str(template), *arguments)
    return run_command(*command, cwd=work, variables=variables, stdin=stdin, umask=umask)


def reject(folder: Path, *arguments: str, defaults: Mapping[str, object] = {}) -> Done:
    """Run cookiecutter in `folder`/work with values that must be rejected before any hook runs.

    Runs in this process, which takes a tenth of the time. The output of a hook would be missing.
    """
    work = folder / "work"
    work.mkdir(exist_ok=True)
    command = ["--config-file", str(write_config(folder, defaults)), "--no-input", str(TEMPLATE)]
    output, errors = StringIO(), StringIO()
    with chdir(work), redirect_stdout(output), redirect_stderr(errors):
        try:
            main([*command, *arguments])
        except SystemExit as end:
            status = end.code
        except (TemplateError, ValueError):
            status = traceback.format_exc()
    if isinstance(status, str):
        # As the interpreter does at the end of a process.
        print(status, file=errors)
        status = 1
    return Done(command, status or 0, output.getvalue(), errors.getvalue())


def cruft(folder: Path, *arguments: str, cwd: Path | None = None) -> Done:
    """Run cruft in `cwd` or `folder`/work, with the user configuration of `folder`."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    variables = {"COOKIECUTTER_CONFIG": str(write_config(folder))}
    for role in ("AUTHOR", "COMMITTER"):
        variables |= {f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.com"}
    return run_command("cruft", *arguments, cwd=cwd or work, variables=variables)


def replay(folder: Path, values: Mapping[str, object]) -> Done:
    """Run cookiecutter with a replay file, whose values it neither renders nor prompts for."""
    context: dict[str, Any] = {
        name: value for name, value in CONTEXT.items() if name.startswith("_")
    }
    context |= {name: REFERENCE[name] for name in CHOICES}
    texts = {name: REFERENCE[name] for name in FREE_TEXT}
    context |= {"__validated": "", **with_quoted(texts | dict(values))}
    file = folder / "replay.json"
    file.write_text(json.dumps({"cookiecutter": context}), "utf-8")
    return cookiecutter(folder, flags=["--replay-file", str(file)])


def created_paths(folder: Path) -> list[str]:
    """Return the names in the working directory and next to it, except the tests' own files."""
    return sorted(
        [path.name for path in (folder / "work").iterdir()]
        + [path.name for path in folder.iterdir() if path.name not in TEST_FILES]
    )
