"""Documented make targets and prompts exist, and the commands of the pages work."""

import re
import subprocess
from pathlib import Path

import pytest
from choices import CHOICES, CONTEXT
from conftest import LAYERS, TEMPLATE, Bake, clean_environment
from git_repo import GitRepo, copy_history, release

PAGES_OF_DOCS = [*TEMPLATE.glob("docs/*.md"), *TEMPLATE.glob("docs/customizing/*.md")]
DOCUMENTS = [*TEMPLATE.glob("*.md"), *PAGES_OF_DOCS]
# A file with its content, or commands.
STEP = re.compile(
    r"`(?P<file>[\w.]+)`:\n\n```yaml\n(?P<text>.*?)^```$|^```sh\n(?P<commands>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

# The pages with commands that a test runs: the blocks marked `sh`.
WITH_COMMANDS = [path for path in PAGES_OF_DOCS if "\n```sh\n" in path.read_text("utf-8")]
# tests/test_customizing.py runs the pages about a fork, test_add_options.py the one about options.
PAGES = sorted(
    path.relative_to(TEMPLATE / "docs").with_suffix("").as_posix()
    for path in WITH_COMMANDS
    if (path.parent.name == "docs" and path.stem != "add-options")
    or path.stem == "file-of-defaults"
)


def test_pages_state_whether_their_commands_are_tested() -> None:
    for path in PAGES_OF_DOCS:
        is_stated = "by a test" in " ".join(path.read_text("utf-8").partition("\n## ")[0].split())
        assert is_stated == (path in WITH_COMMANDS), path


def targets(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_documented_make_targets_exist(bake: Bake) -> None:
    known = targets((TEMPLATE / "Makefile").read_text("utf-8")) | targets(bake().read("Makefile"))

    # The changelog also names targets of earlier versions.
    for document in {*DOCUMENTS} - {TEMPLATE / "CHANGELOG.md"}:
        text = document.read_text("utf-8")
        named = set(re.findall(r"(?:^ {4}|`|\$ )make ([a-z-]+)", text, re.MULTILINE))
        assert named <= known, document


@pytest.mark.parametrize(
    ("ci", "file"), [("github", ".github/workflows/ci.yml"), ("gitlab", ".gitlab-ci.yml")]
)
def test_make_targets_in_ci_workflows_exist(ci: str, file: str, bake: Bake) -> None:
    project = bake(ci=ci)

    used = set(re.findall(r"- (?:run: )?make (\S+)", project.read(file)))

    assert {"lint", "test"} <= used <= targets(project.read("Makefile"))


@pytest.mark.parametrize("name", ["README.md", "docs/security.md"])
def test_access_to_the_example_is_documented(name: str, bake: Bake) -> None:
    text = " ".join(bake().read(name).split())

    assert "open to anyone" in text
    for resource in ("/articles", "/coupons"):
        assert resource in text


def test_changelog_of_every_version_has_a_section_for_owners() -> None:
    versions = (TEMPLATE / "CHANGELOG.md").read_text("utf-8").split("\n## [")[2:]

    assert versions
    for version in versions:
        assert re.search(r"\n### For owners of a project\n(- )?\w", version), version[:20]


@pytest.mark.parametrize("page", ["README.md", "docs/options.md"])
def test_table_has_a_row_for_every_prompt_and_no_other(page: str) -> None:
    text = (TEMPLATE / page).read_text("utf-8")
    table = r"^\| \w+ \| Values \(default first\) \|.*\n((?:\|.*\n)+)"
    [rows] = re.findall(table, text, re.MULTILINE)

    cells = re.findall(r"^\| (`[^|]+`) \|", rows, re.MULTILINE)
    names = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]

    prompts = [name for name in CONTEXT if not name.startswith("_")]
    assert sorted(names) == sorted(prompts), f"change the table of {page}"


def test_documents_name_only_existing_choices() -> None:
    names = "|".join([*CHOICES, "DATABASE_LAYER"])
    assigned = re.compile(rf"(?<![\w-])({names})\b[\"`]?\s*[=:]\s*[\"`]?([\w.-]*\w)")
    # The changelog describes earlier versions, and changes and code are not prompt values.
    changes = re.compile(r"^```(?:diff|python)\n.*?^```$", re.MULTILINE | re.DOTALL)
    for path in {*DOCUMENTS, TEMPLATE / "Makefile"} - {TEMPLATE / "CHANGELOG.md"}:
        for name, value in assigned.findall(changes.sub("", path.read_text("utf-8"))):
            choices = CHOICES[name.lower()]
            # GPL is an example of an invalid choice.
            known = {"true", "false", "yes", "no"} if True in choices else {*choices, "GPL"}
            place = path.relative_to(TEMPLATE)
            assert value in known, f"{place}: cookiecutter.json has no {name}={value}"


def test_options_page_has_a_paragraph_for_each_database_layer() -> None:
    page = (TEMPLATE / "docs" / "options.md").read_text("utf-8")

    described = re.findall(r"^\*\*`(.+?)`\*\*:", page, re.MULTILINE)

    assert sorted(described) == sorted(LAYERS), "change docs/options.md"


@pytest.fixture
def template(tmp_path: Path) -> GitRepo:
    return copy_history(tmp_path / "template")


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_commands_of_a_page_work_in_sequence(name: str, template: GitRepo, tmp_path: Path) -> None:
    template.git("tag", "--force", "v0.1.0")
    release(template)
    template.git("tag", "v0.2.0")
    work = tmp_path / "work"
    work.mkdir()
    script = "set -eux\n"
    page = (TEMPLATE / "docs" / f"{name}.md").read_text("utf-8")
    for step in STEP.finditer(page):
        if step["file"]:
            (work / step["file"]).write_text(step["text"], "utf-8")
        else:
            # The other pages continue in the folder to which the previous block has changed.
            script += step["commands"]
            if re.search(r"each in the\s+same folder", page):
                script += f"cd '{work}'\n"

    identity = {f"GIT_{role}_{what}": "a@example.com"
                for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}  # fmt: skip
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=work,
        env=clean_environment({**identity, "TEMPLATE": str(template.path), "HOME": str(tmp_path)}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
