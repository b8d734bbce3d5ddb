"""The command `cookiecutter`, as a person or a pipeline types it."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from conftest import TEMPLATE, clean_environment
from matrix import OPTIONS
from rendered_hooks import QUESTIONS, TEXTS

# What these tests put beside the working directory.
OWN = {"work", "config.yaml", "replay", "replay.json"}


def cookiecutter(
    folder: Path,
    *arguments: str,
    defaults: Mapping[str, object] = {},
    variables: Mapping[str, str] = {},
    typed: Sequence[str] = (),
    flags: Sequence[str] = ("--no-input",),
    template: Path = TEMPLATE,
    umask: int = -1,
) -> subprocess.CompletedProcess[str]:
    """Run cookiecutter in `folder`/work with a configuration of its own."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    config = folder / "config.yaml"
    config.write_text(
        yaml.safe_dump(
            {"replay_dir": str(folder / "replay"), "default_context": dict(defaults)},
            allow_unicode=True,
        ),
        "utf-8",
    )
    options = ["--config-file", str(config), *([] if typed else flags)]
    return subprocess.run(
        [sys.executable, "-m", "cookiecutter", *options, str(template), *arguments],
        cwd=work,
        env=clean_environment(variables),
        input="".join(f"{line}\n" for line in typed),
        capture_output=True,
        text=True,
        encoding="utf-8",
        umask=umask,
        check=False,
    )


def replay(folder: Path, answers: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
    """Give `answers` as a file, which cookiecutter hands to the hooks as it is."""
    context: dict[str, Any] = {
        name: value for name, value in QUESTIONS.items() if name.startswith("_")
    }
    context |= {name: values[0] for name, values in OPTIONS.items()}
    context |= {name: QUESTIONS[name] for name in TEXTS} | dict(answers)
    for name in TEXTS:
        quoted = str(context[name]).replace("\\", "\\\\").replace('"', '\\"')
        context[f"__{name}_quoted"] = quoted
    file = folder / "replay.json"
    file.write_text(json.dumps({"cookiecutter": context}), "utf-8")
    return cookiecutter(folder, flags=["--replay-file", str(file)])


def made(folder: Path) -> list[str]:
    """What is in the working directory and beside it, but for the tests' own files."""
    return sorted(
        [path.name for path in (folder / "work").iterdir()]
        + [path.name for path in folder.iterdir() if path.name not in OWN]
    )
