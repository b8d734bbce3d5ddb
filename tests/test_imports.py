"""Every import of a generated project resolves, and every module is used. Nothing is installed."""

import ast
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from symtable import symtable

import pytest
from conftest import Project
from generation import generate
from matrix import SERVICE_OPTIONS, combinations, label

#: Top-level modules by distribution, if not one module with the same name.
TOP_LEVEL = {
    "fastapi": {"fastapi", "pydantic", "pydantic_core", "starlette"},
    "pwdlib": {"argon2", "pwdlib"},
    "pyjwt": {"jwt"},
    "python-dotenv": {"dotenv"},
    "python-json-logger": {"pythonjsonlogger"},
}
#: Modules that are found by their folder or name.
DISCOVERED = re.compile(
    r"(app\.(api\.routes|commands|components|db\.models|jobs)|dev\.(processes|seeds)|tests\.auth\.access)\.\w+|tests\.(\w+\.)*(test_\w+|conftest)|.+\.__main__"
)
#: Strings that look like modules: a logger.
OTHER_STRINGS = {"app.access"}
#: The files that the reader of a guide writes.
ADDED_LATER = re.compile(r"`([\w/]+\.py)`:\n\n```python")
IN_STRINGS = re.compile(r"(?:app|dev|tests)(?:\.\w+)+(?::\w+)?")
IN_COMMANDS = re.compile(rf"(?:-m |\")({IN_STRINGS.pattern})(?![\w/])")
IN_DOCUMENTS = re.compile(r"^from ((?:app|dev|tests)[\w.]*) import ([\w, ]+)$", re.MULTILINE)


@cache
def parse(source: str) -> ast.Module:
    return ast.parse(source)


@cache
def names_bound(source: str) -> set[str]:
    """Return the names that a module defines or imports at its top level."""
    symbols = symtable(source, "module", "exec").get_symbols()
    return {one.get_name() for one in symbols if one.is_assigned() or one.is_imported()}


def dotted(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def top_level_modules(needs: list[str]) -> set[str]:
    """Return the top-level modules of the distributions in a list of dependencies."""
    names = [re.split(r"[^\w-]", need)[0].lower() for need in needs]
    return {module for name in names for module in TOP_LEVEL.get(name, {name.replace("-", "_")})}


@dataclass(frozen=True)
class Imports(Project):
    """What the files of a project import: modules, or members, written `module:member`."""

    @cached_property
    def sources(self) -> dict[str, str]:
        """The text of each Python file by its path."""
        return {name: self.read(name) for name in self.files() if name.endswith(".py")}

    @cached_property
    def modules(self) -> dict[str, str]:
        """The text of each module by its dotted name."""
        return {
            dotted(name): text
            for name, text in self.sources.items()
            if not name.startswith("migrations/")
        }

    def imports(self, name: str) -> Iterator[str]:
        """Yield what a Python file imports, or names in a string and does not define itself."""
        package = name.split("/")[:-1]
        for node in ast.walk(parse(self.sources[name])):
            match node:
                case ast.Import():
                    yield from (alias.name for alias in node.names)
                case ast.ImportFrom():
                    parents = package[: len(package) - node.level + 1] if node.level else []
                    module = ".".join([*parents, *([node.module] if node.module else [])])
                    yield from (f"{module}:{alias.name}" for alias in node.names)
                case ast.Constant(str(text)) if IN_STRINGS.fullmatch(text):
                    parent, _, member = text.rpartition(".")
                    is_member = ":" not in text and {text, parent} & self.modules.keys() == {parent}
                    if text not in OTHER_STRINGS and self.resolve(text) != dotted(name):
                        yield f"{parent}:{member}" if is_member else text

    @cached_property
    def mentions(self) -> set[str]:
        """What other files import in an example, or run in a command."""
        texts = [self.read(name) for name in self.files() - self.sources.keys()]
        found = {target for text in texts for target in IN_COMMANDS.findall(text)}
        for module, names in (pair for text in texts for pair in IN_DOCUMENTS.findall(text)):
            found |= {f"{module}:{name}" for name in re.findall(r"(?<! as )\b(?!as )\w+", names)}
        added = {dotted(name) for text in texts for name in ADDED_LATER.findall(text)}
        return {target for target in found if not {target, target.partition(":")[0]} & added}

    def resolve(self, target: str) -> str | None:
        """Return the module that a target is or is in, or None if it does not exist."""
        module, _, member = target.partition(":")
        if f"{module}.{member}" in self.modules:
            return f"{module}.{member}"
        if module in self.modules and (not member or member in names_bound(self.modules[module])):
            return module
        return None

    def problems(self) -> Iterator[str]:
        """Yield a line for each target that does not exist or is not installed."""
        metadata = tomllib.loads(self.read("pyproject.toml"))
        needs = top_level_modules(metadata["project"]["dependencies"]) | sys.stdlib_module_names
        dev_needs = needs | top_level_modules(metadata["dependency-groups"]["dev"])
        for name in self.sources:
            # The Docker image has only these folders, and no development dependencies.
            if name.startswith(("app/", "migrations/")):
                yield from self.problems_of(name, {"app"}, needs)
            else:
                yield from self.problems_of(name, {"app", "dev", "tests"}, dev_needs)
        for target in self.mentions:
            if self.resolve(target) is None:
                yield f"a document or command names {target}, which does not exist"

    def problems_of(self, name: str, ours: Set[str], others: Set[str]) -> Iterator[str]:
        for target in self.imports(name):
            root = re.split("[.:]", target)[0]
            # `from . import name` binds the name in the package, even if no such module exists.
            is_missing = self.resolve(target) in {None, dotted(name)}
            if root in ours and is_missing:
                yield f"{name} imports {target}, which does not exist"
            elif root not in ours | others:
                yield f"{name} imports {target}, which pyproject.toml does not list"

    def unused(self) -> set[str]:
        """Return the modules that nothing uses; helpers of tests are for tests only."""
        used = {self.resolve(target) for target in self.mentions}
        for name in self.sources:
            found = {self.resolve(target) for target in self.imports(name)}
            is_test = name.startswith("tests/")
            used |= {one for one in found if one and one.startswith("tests.") == is_test}
        packages = {".".join(name.split("/")[:-1]) for name in self.sources}
        unused = self.modules.keys() - used - packages
        return {name for name in unused if not DISCOVERED.fullmatch(name)}


@pytest.fixture(scope="module", params=combinations(SERVICE_OPTIONS), ids=label)
def project(request: pytest.FixtureRequest) -> Iterator[Imports]:
    with tempfile.TemporaryDirectory() as folder:
        yield Imports(generate(Path(folder), request.param))


def test_every_import_resolves(project: Imports) -> None:
    problems = sorted(set(project.problems()))

    hint = "modules of a dependency with another name are listed in TOP_LEVEL in this file"
    assert not problems, "\n".join([*problems, hint])


def test_every_module_is_used(project: Imports) -> None:
    unused = ", ".join(sorted(project.unused()))

    assert not unused, (
        f"nothing in this project uses {unused}; a module that only an option uses belongs to that "
        "option in feature_files.txt"
    )


def test_missing_modules_and_members_are_found(tmp_path: Path) -> None:
    files = {
        "app/__init__.py": "from .log import gone\nfrom app import logs, log\n",
        "app/log.py": "import dev.serve\nimport pytest, jwt.api, os.path\nlevel = 1\n",
        "dev/__init__.py": "import pytest\nreplace('app.log.levels', 'app.log.level')\n",
        "dev/serve.py": "from app.logs import level\ndef run(): from . import port\n",
        "Makefile": "run:\n\tpython -m dev.server\n",
        "README.md": "from app.log import level, levels\n",
        "pyproject.toml": "[project]\ndependencies = ['PyJWT>=2']\n"
        "[dependency-groups]\ndev = ['pytest>=9']\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")

    assert sorted(Imports(tmp_path).problems()) == [
        "a document or command names app.log:levels, which does not exist",
        "a document or command names dev.server, which does not exist",
        "app/__init__.py imports app.log:gone, which does not exist",
        "app/__init__.py imports app:logs, which does not exist",
        "app/log.py imports dev.serve, which pyproject.toml does not list",
        "app/log.py imports pytest, which pyproject.toml does not list",
        "dev/__init__.py imports app.log:levels, which does not exist",
        "dev/serve.py imports app.logs:level, which does not exist",
        "dev/serve.py imports dev:port, which does not exist",
    ]
