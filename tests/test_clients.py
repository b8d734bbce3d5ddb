"""Clients that are generated from the OpenAPI document work with a running service."""

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import LAYERS, Bake, Project, needs_two_layers
from server_process import run_server
from shared_environment import install
from writer import API_KEY, insert_writer

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).with_name("in_venv")
PYTHON_GENERATOR = "openapi-python-client==0.29.*"
# The last versions for Node.js 20.
TYPESCRIPT_GENERATOR = ["@hey-api/openapi-ts@~0.94", "typescript@~5.9", "@types/node@~20.19"]

#: What both programs print.
REPORT = {
    "created": ["one", "two", "three"],
    "conflict": [409, "/problems/already-exists", "slug"],
    "pages": [["three", "two"], ["one"]],
    "deleted": 204,
    "remaining": [["three", "two"]],
}


def node_problem() -> str | None:
    """Return why TypeScript clients cannot be generated here, or None if they can be."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "there is no Node.js with npm on this machine"
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    version = tuple(map(int, re.findall(r"\d+", done.stdout)))
    return None if version >= (20, 19) else f"Node.js is {done.stdout.strip()}, older than 20.19"


def write_document(project: Project) -> bytes:
    """Run `make openapi` in a project without settings, and return the content of the file."""
    install(project)
    project.run("make", "openapi")
    return (project.path / "openapi.json").read_bytes()


def use_client(project: Project, *command: str) -> object:
    """Run a program that uses a client with an API key, and return what it prints."""
    with run_server(["make", "run"], project.path) as server:
        asyncio.run(insert_writer(server.database))
        variables = {"NO_PROXY": "127.0.0.1"}
        arguments = server.base_url, API_KEY
        done = project.run(*command, *arguments, cwd=project.path.parent, variables=variables)
    return json.loads(done.stdout)


@needs_two_layers
def test_documents_of_both_layers_are_identical(bake: Bake) -> None:
    first, second = (write_document(bake(database_layer=layer)) for layer in LAYERS)

    assert first == second
    assert first.startswith(b'{\n  "openapi": "3.1.0",\n')
    assert first.endswith(b"\n}\n")


def test_outdated_document_is_reported_with_the_command(bake: Bake) -> None:
    project = bake()
    test = ["uv", "run", "pytest", "-rs", "tests/test_openapi_file.py", "-k", "is_current"]
    install(project)
    assert "`make openapi` writes" in project.run(*test).stdout
    project.run("make", "openapi")
    assert "1 passed" in project.run(*test).stdout

    schema = project.path / "app" / "schemas" / "articles.py"
    text = schema.read_text("utf-8")
    schema.write_text(text.replace('"""A new article."""', '"""A text."""'), "utf-8")

    done = project.try_to_run(*test)
    assert done.returncode == 1
    assert "openapi.json is out of date: run `make openapi`" in done.stdout


def test_python_client_uses_articles(bake: Bake) -> None:
    project = bake()
    write_document(project)
    folder = project.path.parent
    python = ["uv", "run", "--quiet", "--no-project", "--with", PYTHON_GENERATOR]
    document = ["--path", str(project.path / "openapi.json"), "--fail-on-warning"]
    output = ["--meta", "none", "--output-path", "my_service_client"]
    project.run(*python, "openapi-python-client", "generate", *document, *output, cwd=folder)
    shutil.copy(PROGRAMS / "use_client.py", folder)

    assert use_client(project, *python, "use_client.py") == REPORT


@pytest.mark.skipif(bool(problem := node_problem()), reason=str(problem))
def test_typescript_client_uses_articles(bake: Bake) -> None:
    project = bake()
    write_document(project)
    folder = project.path.parent
    (folder / "package.json").write_text("{}\n", "utf-8")
    npm = ["npm", "install", "--silent", "--no-fund", "--no-audit"]
    project.run(*npm, *TYPESCRIPT_GENERATOR, cwd=folder)
    shutil.copy(PROGRAMS / "use_client.ts", folder)

    document = ["--input", str(project.path / "openapi.json"), "--no-log-file"]
    project.run("npx", "openapi-ts", *document, "--output", "client", cwd=folder)
    options = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "commonjs"]
    project.run("npx", "tsc", *options, "use_client.ts", cwd=folder)

    assert use_client(project, "node", "use_client.js") == REPORT
