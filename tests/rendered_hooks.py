"""The hooks as cookiecutter renders them, for tests that look inside."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from conftest import TEMPLATE
from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config
from cookiecutter.utils import create_env_with_context

QUESTIONS = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
TEXTS = ["project_name", "project_description", "author_name", "author_email"]


def render_hook(name: str, **answers: object) -> str:
    """The hook's source after someone has typed `answers`, or replayed them from a file."""
    context: dict[str, Any] = generate_context(str(TEMPLATE / "cookiecutter.json"))
    context["cookiecutter"] = prompt_for_config(context, no_input=True)
    context["cookiecutter"].update(answers)
    environment = create_env_with_context(context)
    for text in TEXTS:
        quoted = f"__{text}_quoted"
        if quoted not in answers:
            template = environment.from_string(QUESTIONS[quoted])
            context["cookiecutter"][quoted] = template.render(**context)
    source = (TEMPLATE / "hooks" / f"{name}.py").read_text("utf-8")
    rendered: str = environment.from_string(source).render(**context)
    return rendered


def load_hook(folder: Path, name: str, **answers: object) -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(render_hook(name, **answers), "utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    return hook
