"""The hooks as cookiecutter renders them, for tests that look inside."""

import importlib.util
import json
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from conftest import TEMPLATE
from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config
from cookiecutter.utils import create_env_with_context

QUESTIONS = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
#: Those that follow from others, which nobody is asked for.
DERIVED = [name for name in QUESTIONS if name.startswith("__") and name != "__prompts__"]
TEXTS = ["project_name", "project_description", "author_name", "author_email"]


def render_hook(name: str, **answers: object) -> str:
    """The hook's source after someone has typed `answers`, or replayed them from a file."""
    context: dict[str, Any] = generate_context(str(TEMPLATE / "cookiecutter.json"))
    context["cookiecutter"] = prompt_for_config(context, no_input=True)
    context["cookiecutter"].update(answers)
    environment = create_env_with_context(context)
    for derived in DERIVED:
        if derived not in answers:
            template = environment.from_string(QUESTIONS[derived])
            context["cookiecutter"][derived] = template.render(**context)
    source = (TEMPLATE / "hooks" / f"{name}.py").read_text("utf-8")
    rendered: str = environment.from_string(source).render(**context)
    return rendered


def load_hook(folder: Path, name: str, **answers: object) -> ModuleType:
    # A name that was never used: the bytecode of another hook could be taken for this one's.
    path = Path(tempfile.mkdtemp(dir=folder)) / f"{name}.py"
    path.write_text(render_hook(name, **answers), "utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    return hook
