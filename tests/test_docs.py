"""What the documents tell people to type works as it stands."""

import re
import subprocess
from pathlib import Path

import pytest
from conftest import TEMPLATE, Bake, clean_environment
from git_repo import GitRepo, copy_history, release
from rendered_hooks import CONTEXT

DOCUMENTS = [*TEMPLATE.glob("*.md"), *TEMPLATE.glob("docs/*.md")]
# A file and what is in it, or commands.
STEP = re.compile(
    r"`(?P<file>[\w.]+)`:\n\n```yaml\n(?P<text>.*?)^```$|^```sh\n(?P<commands>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

# Blocks of other kinds are read, and not typed.
PAGES = sorted(
    path.stem for path in TEMPLATE.glob("docs/*.md") if "\n```sh\n" in path.read_text("utf-8")
)


def test_pages_say_that_their_commands_are_run() -> None:
    for path in TEMPLATE.glob("docs/*.md"):
        promises = "by a test" in path.read_text("utf-8").partition("\n## ")[0]
        assert promises == (path.stem in PAGES), path


def targets(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_every_target_that_is_named_exists(bake: Bake) -> None:
    known = targets((TEMPLATE / "Makefile").read_text("utf-8")) | targets(bake().read("Makefile"))

    # The changelog also names targets of earlier versions.
    for document in {*DOCUMENTS} - {TEMPLATE / "CHANGELOG.md"}:
        text = document.read_text("utf-8")
        named = set(re.findall(r"(?:^ {4}|`|\$ )make ([a-z-]+)", text, re.MULTILINE))
        assert named <= known, document


@pytest.mark.parametrize(
    ("ci", "file"), [("github", ".github/workflows/ci.yml"), ("gitlab", ".gitlab-ci.yml")]
)
def test_every_target_that_a_pipeline_makes_exists(ci: str, file: str, bake: Bake) -> None:
    project = bake(ci=ci)

    made = set(re.findall(r"- (?:run: )?make (\S+)", project.read(file)))

    assert {"lint", "test"} <= made <= targets(project.read("Makefile"))


@pytest.mark.parametrize("name", ["README.md", "docs/security.md"])
def test_a_project_says_that_anyone_may_write_articles_and_coupons(name: str, bake: Bake) -> None:
    text = " ".join(bake().read(name).split())

    assert "open to anyone" in text
    for resource in ("/articles", "/coupons"):
        assert resource in text


def test_every_version_says_what_the_owner_of_a_project_must_do() -> None:
    versions = (TEMPLATE / "CHANGELOG.md").read_text("utf-8").split("\n## [")[2:]

    assert versions
    for version in versions:
        assert re.search(r"\n### For owners of a project\n(- )?\w", version), version[:20]


@pytest.mark.parametrize("name", ["README.md", "docs/options.md"])
def test_every_question_and_choice_is_in_the_table(name: str) -> None:
    lines = (TEMPLATE / name).read_text("utf-8").splitlines()
    table = "\n".join(line for line in lines if line.startswith("| "))
    for question, answers in CONTEXT.items():
        if not question.startswith("_"):
            assert f"`{question}`" in table
            assert not isinstance(answers, list) or all(choice in table for choice in answers)


@pytest.fixture
def template(tmp_path: Path) -> GitRepo:
    return copy_history(tmp_path / "template")


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_page_work_one_after_the_other(
    name: str, template: GitRepo, tmp_path: Path
) -> None:
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
            # Each block begins where the page began, unless it goes on in a project.
            script += step["commands"]
            if re.search(r"each in the\s+same folder", page):
                script += f"cd '{work}'\n"

    person = {f"GIT_{role}_{what}": "a@example.com"
              for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}  # fmt: skip
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=work,
        env=clean_environment({**person, "TEMPLATE": str(template.path), "HOME": str(tmp_path)}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
