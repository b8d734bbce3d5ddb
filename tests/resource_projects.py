"""Resources that are generated in projects: the specifications, and helpers for their tests."""

import re
import shlex
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from conftest import Project
from resource_specifications import Command

TESTS = ["tests/test_conventions.py", "tests/test_migrations.py", "tests/test_openapi.py"]
#: In projects with users. It tests the generated rules of access.
ACCESS_TEST = "tests/auth/test_access.py"


class Specifications(NamedTuple):
    """Resources for one project: the arguments of `python -m dev.resource`, and prompt values."""

    context: dict[str, bool]
    commands: tuple[str, ...]


#: Each type, modifier and option, several in one project to save time.
SPECIFICATIONS = {
    "types": Specifications(
        {"auth": False, "example": False},
        (
            "customer name:str:50:unique since:datetime:default=now --search name",
            "product title:str:20:unique:sort text:text:2000 size:int:filter:sort:index"
            " views:bigint:filter:optional price:decimal:5.5:sort:filter ratio:float:filter"
            " sold:bool:default=false day:date:default=today at:datetime:optional token:uuid:unique"
            " data:json:default=empty:index mail:email:unique:filter"
            " state:enum:off,on:sort:default=on seller:ref:customers:cascade"
            " buyer:ref:customers:null:optional tags:list:str:10:index:default=empty days:list:date"
            " amounts:list:decimal:6.2:optional email:email:optional"
            " decimal:decimal:4.0:filter path:str:1:filter:index extra:json:optional"
            " roles:list:enum:read,write read:enum:yes,no plain_text:str:9:optional"
            " parent:ref:products:optional:cascade:sort --search title,text,mail",
            "invoice number:str:20:unique customer:ref:customers total:decimal:12.2"
            " due:date:optional status:enum:draft,sent,paid",
            "invoice_line invoice:ref:invoices:cascade position:int:sort text:text:500",
        ),
    ),
    "owned": Specifications(
        {"auth": True, "example": True},
        (
            "customer name:str:50:unique due:date:unique:filter score:decimal:3.1:unique"
            " referrer:ref:customers:optional twin:ref:customers:optional:unique:null",
            "invoice number:str:20:unique customer:ref:customers article:ref:articles:optional:null"
            " note:ref:notes:cascade due:date:optional status:enum:draft,sent,paid:default=draft"
            " total:decimal:12.2:sort --search number",
            "invoice_line invoice:ref:invoices:cascade position:int:filter:sort text:text:500",
            "label name:str:30:unique details:json seen:bool:filter ids:list:uuid --public",
            "reminder coupon:ref:coupons:unique user:ref:users:optional:sort rate:float:default=1.5"
            " --public",
        ),
    ),
    "actions": Specifications(
        {"auth": True, "example": False},
        (
            "customer name:str:50:unique",
            "box title:str:5:unique state:enum:on,off --only list",
            "story title:str:5 buyer:ref:customers seller:ref:customers:null:optional:unique"
            " --only create",
            "category title:str:5:unique:sort:filter --only get,delete --public",
            "bus title:str:5:unique amount:decimal:3.0:default=5 text:text:50000:optional"
            " customer:ref:customers:unique --only list,update --search text",
            "agency name:email:unique:sort customer:ref:customers head:ref:agencies:optional"
            " --only create,get,update",
            "person born:date user:ref:users:cascade --plural people --only list,create,delete",
        ),
    ),
}


def run_generator(project: Project, arguments: str) -> subprocess.CompletedProcess[str]:
    """Try to generate a resource."""
    command = ("uv", "run", "--quiet", "python", "-m", "dev.resource")
    return project.try_to_run(*command, *shlex.split(arguments))


def generate(project: Project, arguments: str) -> list[str]:
    """Generate a resource and return the names of its files."""
    done = run_generator(project, arguments)
    assert done.returncode == 0, f"{arguments}\n{done.stdout}"
    return re.findall(r"^\S+\.py$", done.stdout, re.MULTILINE)


def generate_or_reject(project: Project, commands: Sequence[Command]) -> list[str]:
    """Generate valid resources and return the names of their files.

    Fail unless each of the others is rejected with exactly its problems, and leaves no file.
    """
    generated = list[str]()
    for arguments, problems in commands:
        before = source_files(project)
        if problems:
            done = run_generator(project, arguments)
            lines = {*done.stdout.splitlines()}
            wrong = [f"not named: {line}" for line in problems - lines]
            wrong += [f"not a mistake: {line}" for line in lines - problems]
            assert not wrong, "\n".join([*sorted(wrong), f"Command: {arguments}"])
            assert done.returncode == 1
            assert source_files(project) == before
        else:
            names = generate(project, arguments)
            assert source_files(project) - before == {*names}
            assert len(names) == 6 + (ACCESS_TEST in before)
            generated += names
    return generated


def check_generated(project: Project, names: Sequence[str]) -> None:
    """Fail unless a project with resources passes lint, the tests of migrations, and theirs.

    Those of migrations are `alembic check`, and each upgrade, downgrade and upgrade.
    """
    project.run("make", "lint")
    tests = [name for name in names if name.startswith("tests/test_")]
    tests += {ACCESS_TEST} & project.files()
    report = project.run("uv", "run", "pytest", "--numprocesses", "2", *TESTS, *tests).stdout
    assert re.search(r"^=+ \d+ passed in ", report, re.MULTILINE), report


def source_files(project: Project) -> set[str]:
    """Return the files of a project, except those of the embedded server."""
    return {name for name in project.files() if not name.startswith(".data/postgres/")}


def commit_all(project: Project) -> None:
    """Commit all files of a project, in a new repository if it has none."""
    identity = ("-c", "user.name=Owner", "-c", "user.email=owner@example.com")
    for command in (["init", "--quiet"], ["add", "."], [*identity, "commit", "-qm", "Commit"]):
        subprocess.run(["git", *command], cwd=project.path, check=True)
