"""The generator of resources: parsing, validation, and writing all files or none."""

import subprocess
import sys
from pathlib import Path

import pytest

import app.db.models  # noqa: F401 - fills the metadata
from app.db import metadata
from dev.resource import files, undo
from dev.resource.specification import Field, Parent, Resource, pluralize, with_article
from dev.resource.validation import find_problems
from tests.databases import CONFIG

PARENTS = {
    "customers": Parent("UUID", is_owned=False),
    "letters": Parent("int", is_owned=True),
    "tested_things": Parent("UUID", is_owned=False),
}


def resource(*fields: str, singular: str = "tested_thing", plural: str = "") -> Resource:
    names = singular, plural or pluralize(singular)
    return Resource(*names, [Field(field, PARENTS) for field in fields])


def problems(*fields: str, **names: str) -> list[str]:
    """Return the problems of a resource with these fields."""
    return find_problems(resource(*fields, **names))


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("tag", "tags"),
        ("invoice_line", "invoice_lines"),
        ("category", "categories"),
        ("day", "days"),
        ("box", "boxes"),
        ("address", "addresses"),
        ("status", "statuses"),
        ("sheep", "sheep"),
        ("tags", "tags"),
    ],
)
def test_plural(singular: str, plural: str) -> None:
    assert pluralize(singular) == plural


@pytest.mark.parametrize("noun", ["an hour", "an urn", "a user", "a uuid", "a euro", "an order"])
def test_article(noun: str) -> None:
    assert with_article(noun.partition(" ")[2]) == noun


@pytest.mark.parametrize(
    "field",
    [
        "number:str:20:unique:sort",
        "note:text:50000:optional",
        "total:decimal:12.2:default=0.50:filter:sort",
        "done:bool:default=false",
        "due:date:optional:default=today",
        "seen_at:datetime:default=now",
        "data:json:default=empty:index",
        "state:enum:draft,sent:default=sent:sort",
        "labels:list:str:3:default=empty:index",
        "states:list:enum:draft,sent:optional",
        "parent:ref:tested_things:optional:cascade",
        "customer:ref:customers:null:optional",
    ],
)
def test_valid_field_has_no_problems(field: str) -> None:
    assert problems(field) == []


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ("title:strin:20", "title: unknown type 'strin'"),
        ("title", "title: unknown type ''"),
        ("title:str", "title: str needs an argument, such as str:50"),
        ("title:str:0", "title: str needs an argument, such as str:50"),
        ("title:str:100001", "title: at most 100000 characters"),
        ("title:text:501:sort", "title: at most 500 characters"),
        ("price:decimal:2.3", "price: a decimal has 1 to 28 digits"),
        ("price:decimal", "price: decimal needs an argument, such as decimal:12.2"),
        ("state:enum:draft", "state: enum needs an argument, such as enum:draft,sent"),
        ("state:enum:1,2", "state: enum needs an argument, such as enum:draft,sent"),
        (
            "state:enum:lower,class,a,mro,a",
            "state: values that are repeated, keywords or methods: a, class, lower, mro",
        ),
        ("states:list:enum:on,off:filter", "states: its type excludes filter"),
        ("states:list:enum:on,off:default=on", "states: 'on' is not a possible default"),
        ("buyer:ref:buyers", "buyer: unknown resource 'buyers'"),
        ("buyer:ref:customers:null", "buyer: only an optional reference can become null"),
        ("letter:ref:letters", "letters belong to users, so tested_things must, too"),
        ("title:str:20:uniqe", "title: unknown modifiers: uniqe"),
        ("title:str:20:cascade", "title: unknown modifiers: cascade"),
        ("title:str:20:sort:sort", "title: a modifier is repeated"),
        ("done:bool:sort", "done: its type excludes sort"),
        ("data:list:json", "data: a list of json is not supported: an object can contain lists"),
        (
            "buyers:list:ref:customers",
            "buyers: a list of ref is not supported: its items would not be foreign keys",
        ),
        ("parent:ref:tested_things", "parent: a reference to itself must be optional"),
        ("count_of:int:default=many", "count_of: 'many' is not a possible default"),
        ("count_of:int:default", "count_of: None is not a possible default"),
        ("price:decimal:3.2:default=10", "price: '10' is not a possible default"),
        ("price:decimal:3.2:default=-", "price: '-' is not a possible default"),
        ("price:decimal:3.2:default=1.005", "price: '1.005' is not a possible default"),
        ("code:str:3:default=abcd", "code: 'abcd' is not a possible default"),
        ("state:enum:on,off:default=up", "state: 'up' is not a possible default"),
        ("code:str:5:unique:default=a", "code: a unique field has no default"),
        ("class:int", "class: a keyword of Python or SQL"),
        ("order:int", "order: a keyword of Python or SQL"),
        ("id:uuid", "id: the name is reserved"),
        ("date:date", "date: the name is reserved"),
        ("version:int", "version: the name is reserved"),
        ("values:int", "values: the name is reserved"),
        ("count:int", "count: the name is reserved"),
        ("list:int", "list: the name is reserved"),
        ("Title:int", "'Title': not lower-case words joined by underscores"),
        ("limit:str:5:filter", "limit: lists have such a parameter"),
    ],
)
def test_invalid_field_is_a_problem(field: str, problem: str) -> None:
    assert problem in "\n".join(problems(field, singular="tested_thing"))


def test_all_problems_are_found_at_once() -> None:
    found = problems("title:str", "title:int", "id:int", singular="page", plural="page")
    assert {problem.partition(":")[0] for problem in found} == {"title", "id", "page"}
    assert len(found) == 5


@pytest.mark.parametrize("plural", ["base", "pool", *metadata.tables])
def test_existing_name_is_a_problem(plural: str) -> None:
    # Existing modules are `app/schemas/base.py` and `tests/test_pool.py`.
    assert f"{plural}: in use: " in "\n".join(problems("title:int", plural=plural))


@pytest.mark.parametrize("name", ["big_integer", "plain_text", "response_body", "strict_bool"])
def test_type_of_a_field_does_not_redefine_an_import(name: str, tmp_path: Path) -> None:
    field = f"{name}:str:20"
    files.render(resource(field), tmp_path)
    schemas = (tmp_path / "app/schemas/tested_things.py").read_text("utf-8")
    assert f"\n{Field(field, {}).class_name}Value = Annotated[" in schemas


def test_generated_modules_are_formatted_and_pass_the_linter(tmp_path: Path) -> None:
    parent = "parent:ref:tested_things:optional"
    fields = "number:str:20:unique", parent, "due:date", "paid:bool", "path:str:5", "tags:list:date"
    names = files.render(resource(*fields), tmp_path)
    assert sorted(names) == sorted(name.format("tested_things") for name in files.FILES)
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", f"--config={CONFIG}", *names]
        subprocess.run(ruff, cwd=tmp_path, check=True)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Return a root and a staging folder that the generator uses instead."""
    root, staging = tmp_path / "root", tmp_path / "staging"
    for module in (files, undo):
        monkeypatch.setattr(module, "ROOT", root)
        monkeypatch.setattr(module, "JOURNAL", staging / "journal.txt")
    monkeypatch.setattr(files, "STAGING", staging)
    for folder in (root, staging):
        folder.mkdir()
    for name in ("a", "b"):
        (staging / name).write_text(name, "utf-8")
    return root, staging


def test_failure_leaves_no_file(folders: tuple[Path, Path]) -> None:
    root, staging = folders
    with pytest.raises(FileNotFoundError):
        files.publish(["a", "b", "missing"])
    assert not [*root.iterdir()]
    assert not staging.exists()


def test_interrupted_run_is_named_and_can_be_undone(folders: tuple[Path, Path]) -> None:
    root, staging = folders
    (root / "a").write_text("moved", "utf-8")
    (root / "other").write_text("from the owner", "utf-8")
    (staging / "journal.txt").write_text("a\nb", "utf-8")
    undo.undo("any name")
    assert [path.name for path in root.iterdir()] == ["other"]
    assert not staging.exists()
