"""Choose the database layer, drop what was not chosen, say what to do next.

Runs in the new project and touches nothing else; may run again on the same folder. Without
`pathlib`, `shutil` and `json`: to import them takes longer than all that is done here.
"""

import os
import sys
import time
from collections.abc import Callable


def is_true(rendered: str) -> bool:
    """Whether an answer, or what is said about one, has been rendered as true."""
    return rendered == "True"


# The first hook has let nothing else through than what can be chosen.
ANSWERS: dict[str, object] = {
    "database_layer": "{{ cookiecutter.database_layer }}",
    "example": is_true("{{ cookiecutter.example }}"),
    "auth": is_true("{{ cookiecutter.auth }}"),
    "ci": "{{ cookiecutter.ci }}",
    "kubernetes": is_true("{{ cookiecutter.kubernetes }}"),
}

# Whose every file is: that of all projects, of those with the answers beside it, or, in an
# overlay, of a database layer.
FEATURES: list[tuple[dict[str, object], list[str]]] = [
    (
        {},
        [
            ".*",
            "Dockerfile",
            "LICENSE",
            "Makefile",
            "README.md",
            "compose.yaml",
            "pyproject.toml",
            "app/*.py",
            "app/api/*.py",
            "app/api/routes/__init__.py",
            "app/api/routes/health.py",
            "app/db/*.py",
            "app/schemas/__init__.py",
            "app/schemas/base.py",
            "app/schemas/fields.py",
            "dev/*.py",
            "docs/add-a-resource.md",
            "docs/migrations.md",
            "migrations/*.*",
            "migrations/versions/.gitkeep",
            "tests/*.py",
        ],
    ),
    (
        {"example": True},
        [
            "app/api/routes/articles.py",
            "app/api/routes/coupons.py",
            "app/db/models/articles.py",
            "app/db/models/coupons.py",
            "app/db/keyset.py",
            "app/db/repositories/articles.py",
            "app/db/repositories/coupons.py",
            "app/schemas/articles.py",
            "app/schemas/coupons.py",
            "app/services",
            "migrations/versions/0001_articles.py",
            "migrations/versions/0002_coupons.py",
            "migrations/versions/0005_articles_search.py",
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
            "migrations/versions/0003_users.py",
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
            "migrations/versions/0004_notes.py",
            "migrations/versions/0006_notes_search.py",
            "tests/examples/test_notes.py",
            "tests/examples/test_write_access.py",
        ],
    ),
    ({"ci": "github"}, [".github"]),
    ({"ci": "gitlab"}, [".gitlab-ci.yml", "renovate.json"]),
    ({"kubernetes": True}, ["kubernetes"]),
]


def choose_database_layer(layer: str) -> None:
    """Lay the overlay of `layer` over the project and remove all overlays."""
    overlay = os.path.join("_variants", layer)
    for folder, _, names in os.walk(overlay):
        target = os.path.relpath(folder, overlay)
        os.makedirs(target, exist_ok=True)
        for name in names:
            insist(os.replace, os.path.join(folder, name), os.path.join(target, name))
    remove("_variants")


def make_plain() -> None:
    """Let no file be a program, as all are on some drives, and drop what the Finder has left."""
    for folder, folders, names in os.walk("."):
        folders[:] = [name for name in folders if name not in {".git", ".venv"}]
        for name in names:
            path = os.path.join(folder, name)
            if name == ".DS_Store":
                insist(os.unlink, path)
                continue
            mode = os.stat(path).st_mode
            if mode & 0o111:
                os.chmod(path, mode & ~0o111)


def drop_features(answers: dict[str, object]) -> None:
    """Remove the files of every feature that `answers` do not ask for."""
    for wanted, names in FEATURES:
        if not wanted.items() <= answers.items():
            for name in names:
                remove(name)


def remove(path: str) -> None:
    """Remove a file, or a folder with all that is in it, if it is there."""
    for folder, folders, names in os.walk(path, topdown=False):
        for name in names:
            insist(os.unlink, os.path.join(folder, name))
        for name in folders:
            insist(os.rmdir, os.path.join(folder, name))
    if os.path.isdir(path):
        insist(os.rmdir, path)
    elif os.path.exists(path):
        insist(os.unlink, path)


def insist(action: Callable[..., None], *paths: str) -> None:
    """Do it within seconds: on Windows, a virus scanner may have a new file open."""
    for _ in range(50):
        try:
            return action(*paths)
        except PermissionError:
            time.sleep(0.1)
    return action(*paths)


def quote(path: str) -> str:
    """Return `path` for a shell, in quotes only if it needs them."""
    if all(char.isalnum() or char in f"{os.sep}:._-" for char in path):
        return path
    return f'"{path}"' if os.name == "nt" else "'" + path.replace("'", "'\\''") + "'"


def main() -> None:
    """Finish the project in the working directory."""
    choose_database_layer("{{ cookiecutter.database_layer }}")
    drop_features(ANSWERS)
    make_plain()
    # Cruft, which sets this, bakes in order to compare: its diff must not begin with advice.
    if not is_true("{{ cookiecutter._commit is defined }}"):
        path = os.getcwd()
        advice = (
            f"Created {os.path.basename(path)}. Next:\n"
            f"    cd {quote(path)}\n"
            "    make run     # serves on an embedded PostgreSQL; needs only uv\n"
            "    make test\n"
            "Without make, as on Windows:\n"
            "    uv run python -m dev.serve\n"
            "    uv run pytest --cov -n auto --dist worksteal\n"
        )
        # The console may lack characters of the path.
        encoding = sys.stdout.encoding
        print(advice.encode(encoding, "backslashreplace").decode(encoding))


if __name__ == "__main__":
    main()
