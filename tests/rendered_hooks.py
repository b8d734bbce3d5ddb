"""Hooks and the validation of the prompts, loaded as cookiecutter loads them."""

import importlib.util
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from choices import REFERENCE, TEMPLATE
from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config
from cookiecutter.utils import create_env_with_context

FREE_TEXT = ["project_name", "project_description", "author_name", "author_email"]


def with_quoted(values: dict[str, Any]) -> dict[str, Any]:
    """Add the private variables with free text that is escaped for TOML."""
    escaped = {name: str(values[name]).replace("\\", "\\\\") for name in FREE_TEXT}
    quoted = {f"__{name}_quoted": text.replace('"', '\\"') for name, text in escaped.items()}
    return quoted | values


def render(source: str, **values: object) -> str:
    """Render `source` with `values`, which are not validated, and the reference values."""
    config = str(TEMPLATE / "cookiecutter.json")
    context: dict[str, Any] = generate_context(config, default_context=REFERENCE)
    context["cookiecutter"] = prompt_for_config(context, no_input=True)
    defaults = {name: context["cookiecutter"][name] for name in FREE_TEXT}
    context["cookiecutter"].update(with_quoted(defaults | values))
    rendered: str = create_env_with_context(context).from_string(source).render(**context)
    return rendered


def render_hook(name: str, **values: object) -> str:
    """Return the source of a hook that is rendered with `values`."""
    return render((TEMPLATE / "hooks" / f"{name}.py").read_text("utf-8"), **values)


def load_hook(folder: Path, name: str, **values: object) -> ModuleType:
    """Import a hook that is rendered with `values`, from a file in `folder`."""
    # A path that no hook has had, because Python caches bytecode by path.
    path = Path(tempfile.mkdtemp(dir=folder)) / f"{name}.py"
    path.write_text(render_hook(name, **values), "utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    return hook


def find_problems(**values: object) -> list[str]:
    """Return the lines that the validation reports for `values`."""
    headline, *problems = render("{{ cookiecutter | validation_report }}", **values).split("\n")
    assert headline == ("No project was generated. Please fix:" if problems else "")
    return [problem.removeprefix("  - ") for problem in problems]
