"""The files of a resource: rendered and formatted in a staging folder, then moved into place."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from mako.lookup import TemplateLookup

from dev.resource.specification import Resource

ROOT = Path(__file__).parents[2]
TEMPLATES = Path(__file__).parent / "templates"
#: The modules of a resource, and their templates.
FILES = {
    "app/schemas/{}.py": "schemas.py.mako",
    "app/db/models/{}.py": "model.py.mako",
    "app/db/repositories/{}.py": "repository.py.mako",
    "app/api/routes/{}.py": "routes.py.mako",
    "tests/test_{}.py": "test_routes.py.mako",
    # jinja: if cookiecutter.auth
    "tests/auth/access/{}.py": "access.py.mako",
    # jinja: endif
}
STAGING = ROOT / ".data" / "resource"
#: Lists the files while they are moved. It remains if that is interrupted.
JOURNAL = STAGING / "journal.txt"


def render(resource: Resource, folder: Path) -> list[str]:
    """Write the modules to `folder`, formatted, and return their names."""
    lookup = TemplateLookup([TEMPLATES], strict_undefined=True)
    names = {name.format(resource.plural): template for name, template in FILES.items()}
    for name, template in names.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = lookup.get_template(template).render_unicode(r=resource, fields=resource.fields)
        path.write_text(text, "utf-8")
    # The templates import all that a resource may need; this removes what is unused.
    # Commas at the end of a line in a template do not force several lines.
    rules = ["lint.isort.split-on-trailing-comma=false", "format.skip-magic-trailing-comma=true"]
    options = [f"--config={rule}" for rule in (ROOT / "pyproject.toml", *rules)]
    for command in (["check", "--fix-only"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--quiet", "--no-cache", *options, *names]
        subprocess.run(ruff, cwd=folder, check=True)
    return [*names]


def imported_names(templates: str) -> set[str]:
    """Return the names that templates import, which the generated code cannot define."""
    text = "".join(path.read_text("utf-8") for path in TEMPLATES.glob(f"{templates}.mako"))
    blocks = re.findall(r"^from [\w.]+ import (\([\w,\s]+|.+)", text, re.MULTILINE)
    return {*re.findall(r"\w+", " ".join(blocks))}


def clear_staging() -> None:
    """Remove the staging folder, also that of a killed run; the journal first."""
    JOURNAL.unlink(missing_ok=True)
    shutil.rmtree(STAGING, ignore_errors=True)


def publish(names: list[str]) -> None:
    """Move the files from the staging folder into place: all, or none if that fails."""
    JOURNAL.write_text("\n".join(names), "utf-8")
    try:
        for name in names:
            (STAGING / name).rename(ROOT / name)
    except BaseException:
        remove(names)
        raise
    clear_staging()


def remove(names: list[str]) -> None:
    """Remove the files that exist. If that is interrupted, the journal remains."""
    STAGING.mkdir(parents=True, exist_ok=True)
    JOURNAL.write_text("\n".join(names), "utf-8")
    for name in names:
        (ROOT / name).unlink(missing_ok=True)
    clear_staging()
