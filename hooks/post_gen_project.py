"""Choose the database layer, drop what was not chosen, say what to do next.

Runs in the new project and touches nothing else; may run again on the same folder.
"""

import json
import shutil
from pathlib import Path

# tojson escapes every apostrophe and all but ASCII, so no answer can end this literal.
ANSWERS = json.loads(r'''{{ cookiecutter | tojson }}''')  # fmt: skip

# Whose every file is: that of all projects, of those with the answers beside it, or, in an
# overlay, of a database layer.
FEATURES: list[tuple[dict[str, object], list[str]]] = [
    (
        {},
        [
            *(".dockerignore", ".editorconfig", ".env.example", ".gitattributes", ".gitignore"),
            *(".pre-commit-config.yaml", "Dockerfile", "LICENSE", "Makefile", "README.md"),
            *("alembic.ini", "compose.yaml", "pyproject.toml"),
            *("app/__init__.py", "app/environment.py", "app/errors.py", "app/log.py"),
            *("app/main.py", "app/readiness.py", "app/settings.py", "app/shutdown.py"),
            *("app/api/__init__.py", "app/api/middleware.py", "app/api/openapi.py"),
            *("app/api/pagination.py", "app/api/problems.py", "app/api/router.py"),
            *("app/api/routes/__init__.py", "app/api/routes/health.py"),
            *("app/db/address.py", "app/db/errors.py"),
            *("app/schemas/__init__.py", "app/schemas/base.py", "app/schemas/types.py"),
            *("dev/*.py", "docs/add-a-resource.md", "migrations/*.*"),
            *("migrations/versions/.gitkeep", "tests/*.py"),
        ],
    ),
    (
        {"example": True},
        [
            "app/api/routes/articles.py",
            "app/api/routes/coupons.py",
            "app/db/models/articles.py",
            "app/db/models/coupons.py",
            "app/db/pages.py",
            "app/db/repositories/articles.py",
            "app/db/repositories/coupons.py",
            "app/schemas/articles.py",
            "app/schemas/coupons.py",
            "app/services",
            "migrations/versions/*_articles.py",
            "migrations/versions/*_coupons.py",
            "tests/examples",
        ],
    ),
    (
        {"auth": True},
        [
            "app/api/routes/auth.py",
            "app/api/routes/users.py",
            "app/auth",
            "app/cli.py",
            "app/db/models/login_failures.py",
            "app/db/models/users.py",
            "app/db/repositories/login_failures.py",
            "app/db/repositories/users.py",
            "app/schemas/auth.py",
            "app/schemas/users.py",
            "docs/security.md",
            "migrations/versions/*_users.py",
            "tests/auth",
        ],
    ),
    (
        {"auth": True, "example": True},
        [
            "app/api/integer_pages.py",
            "app/api/routes/notes.py",
            "app/db/models/notes.py",
            "app/db/repositories/notes.py",
            "app/schemas/notes.py",
            "migrations/versions/*_notes.py",
            "tests/examples/test_notes.py",
        ],
    ),
    ({"ci": "github"}, [".github"]),
    ({"ci": "gitlab"}, [".gitlab-ci.yml"]),
    ({"kubernetes": True}, ["kubernetes"]),
]


def choose_database_layer(project: Path, layer: str) -> None:
    """Lay the overlay of `layer` over the project and remove all overlays."""
    variants = project / "_variants"
    if variants.is_dir():
        shutil.copytree(variants / layer, project, dirs_exist_ok=True)
        shutil.rmtree(variants)


def drop_features(project: Path, answers: dict[str, object]) -> None:
    """Remove the files of every feature that `answers` do not ask for."""
    for wanted, patterns in FEATURES:
        if wanted.items() <= answers.items():
            continue
        for path in [path for pattern in patterns for path in project.glob(pattern)]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def main() -> None:
    """Finish the project in the working directory."""
    project = Path.cwd()
    choose_database_layer(project, ANSWERS["database_layer"])
    drop_features(project, ANSWERS)
    # Cruft, which sets this, bakes in order to compare: its diff must not begin with advice.
    if "_commit" not in ANSWERS:
        print(
            f"Created {project.name}. Next:\n"
            f"    cd {project.name}\n"
            "    make run     # serves on an embedded PostgreSQL; needs only uv\n"
            "    make test\n"
        )


if __name__ == "__main__":
    main()
