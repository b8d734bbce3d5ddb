"""Follow the steps of a guide in the documentation of a project."""

import re
import shlex

from conftest import Project

# A step is a file with its content, text to append to a file, or a block of commands.
STEP = re.compile(
    r"`(?P<file>[\w/]+\.py)`:\n\n```python\n(?P<text>.*?)^```$"
    r"|Append to `(?P<extended>[\w./]+)`:\n\n```\w+\n(?P<appended>.*?)^```$"
    r"|```console\n(?P<commands>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def follow(project: Project, document: str, *, test_all: bool = True) -> list[str]:
    """Write the files and run the commands of `document`; return the output of each command.

    Without `test_all`, `make test` runs only the new tests and those of all endpoints and models.
    """
    outputs = []
    tests = ["tests/test_conventions.py", "tests/test_migrations.py", "tests/test_openapi.py"]
    if "tests/auth/test_access.py" in project.files():
        tests.append("tests/auth/test_access.py")
    for step in STEP.finditer(document):
        if step["file"]:
            file = project.path / step["file"]
            assert file.parent.is_dir()
            if file.exists():
                # A command of the guide has generated it.
                assert file.read_text("utf-8") == step["text"], f"the guide differs from {file}"
            file.write_text(step["text"], "utf-8")
            if file.name.startswith("test_"):
                tests.append(step["file"])
        elif step["extended"]:
            with (project.path / step["extended"]).open("a", encoding="utf-8") as extended:
                extended.write(step["appended"])
        else:
            for line in step["commands"].splitlines():
                command = shlex.split(line.removeprefix("$ "))
                if command == ["make", "test"] and not test_all:
                    command = ["uv", "run", "pytest", "--numprocesses", "auto", *tests]
                outputs.append(project.run(*command).stdout)
    return outputs
