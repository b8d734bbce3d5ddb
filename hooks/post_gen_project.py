"""Apply the chosen database layer, remove unselected features and print the next steps.

Runs in the new project and changes nothing outside it. `pathlib`, `shutil`, `json`, `re` and
`fnmatch` are avoided: their imports take longer than the work of this hook.
"""

import os
import sys
import time
from collections.abc import Callable

# Rendered and validated by `prompt_validation.py`. Rendered booleans are "True" and "False".
OPTIONS: dict[str, object] = {
    name: value
    for name, _, value in (
        line.partition("=") for line in """{{ cookiecutter | options }}""".splitlines()
    )
}
# The ends of the names of files that tools leave in the sources: the patterns of
# `_copy_without_render` that begin with an asterisk.
LEFTOVERS = tuple(
    pattern[1:]
    for pattern in """{{ cookiecutter._copy_without_render | join('\n') }}""".splitlines()
    if pattern.startswith("*")
)
# Part of the output only if the hooks did not run.
NOTE = "_HOOKS_DID_NOT_RUN.md"
# cruft adds this variable to the context.
HAS_COMMIT = "{{ cookiecutter._commit is defined }}"

# Pairs of options and the files of projects with these options. The files of an overlay follow the
# same table. Files in no entry belong to every project.
FILES_BY_FEATURE: list[tuple[dict[str, object], list[str]]] = [
    (
        {"example": True},
        [
            "app/api/routes/articles.py",
            "app/api/routes/coupons.py",
            "app/db/models/articles.py",
            "app/db/models/coupons.py",
            "app/db/repositories/articles.py",
            "app/db/repositories/coupons.py",
            "app/schemas/articles.py",
            "app/schemas/coupons.py",
            "app/services",
            "dev/seeds/coupons.py",
            "migrations/versions/0001_articles.py",
            "migrations/versions/0002_coupons.py",
            "migrations/versions/0005_articles_search.py",
            "migrations/versions/0007_list_indexes.py",
            "migrations/versions/0008_updated_at.py",
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
            "app/components/auth.py",
            "app/db/models/login_failures.py",
            "app/db/models/users.py",
            "app/db/repositories/login_failures.py",
            "app/db/repositories/users.py",
            "app/schemas/auth.py",
            "app/schemas/users.py",
            "dev/resource/templates/owner_import.mako",
            "dev/resource/templates/owner_test_import.mako",
            "dev/seeds/users.py",
            "docs/security.md",
            "migrations/versions/0003_users.py",
            "migrations/versions/0009_users_updated_at.py",
            "tests/auth",
        ],
    ),
    (
        {"auth": True, "example": True},
        [
            "app/api/routes/notes.py",
            "app/db/models/notes.py",
            "app/db/repositories/notes.py",
            "app/schemas/notes.py",
            "migrations/versions/0004_notes.py",
            "migrations/versions/0006_notes_search.py",
            "migrations/versions/0010_notes_updated_at.py",
            "tests/examples/test_notes.py",
            "tests/examples/test_write_access.py",
        ],
    ),
    (
        {"jobs": True},
        [
            "app/components/jobs.py",
            "app/job_queue",
            "app/jobs",
            "app/worker.py",
            "migrations/versions/0011_jobs.py",
            "tests/jobs",
        ],
    ),
    ({"auth": True, "jobs": True}, ["app/jobs/purge_accounts.py"]),
    ({"ci": "github"}, [".github"]),
    ({"ci": "gitlab"}, [".gitlab-ci.yml", "renovate.json"]),
    ({"kubernetes": True}, ["kubernetes"]),
]


def apply_overlay(layer: str) -> None:
    """Move the overlay of `layer` into the project and remove the other one."""
    overlay = os.path.join("_variants", layer)
    for folder, _, names in os.walk(overlay):
        target = os.path.relpath(folder, overlay)
        os.makedirs(target, exist_ok=True)
        for name in names:
            retry(os.replace, os.path.join(folder, name), os.path.join(target, name))
    remove("_variants")


def remove_unselected_features(options: dict[str, object]) -> None:
    """Remove the files of every feature that `options` do not select."""
    for required, names in FILES_BY_FEATURE:
        if unknown := required.keys() - options.keys():
            table = "FILES_BY_FEATURE in hooks/post_gen_project.py"
            sys.exit(f"{table}: cookiecutter.json has no option {', '.join(sorted(unknown))}")
        if any(str(options[name]) != str(value) for name, value in required.items()):
            for name in names:
                remove(name)


def clean_files() -> None:
    """Remove what tools left in the sources, and make files writable and not executable.

    The files of a read-only checkout are read-only; some drives set executable bits everywhere.
    """
    leftovers = [NOTE]
    for folder, folders, names in os.walk("."):
        folders[:] = [name for name in folders if name != ".git"]
        for name in [*folders, *names]:
            path = os.path.join(folder, name)
            if name.endswith(LEFTOVERS):
                leftovers.append(path)
            mode = os.stat(path).st_mode
            wanted = mode | 0o700 if name in folders else (mode | 0o200) & ~0o111
            if wanted != mode:
                os.chmod(path, wanted)
    for path in leftovers:
        remove(path)


def remove(path: str) -> None:
    """Remove a file, or a folder and its contents, if it exists."""
    for folder, folders, names in os.walk(path, topdown=False):
        for name in names:
            retry(os.unlink, os.path.join(folder, name))
        for name in folders:
            retry(os.rmdir, os.path.join(folder, name))
    if os.path.isdir(path):
        retry(os.rmdir, path)
    elif os.path.exists(path):
        retry(os.unlink, path)


def retry(action: Callable[..., None], *paths: str) -> None:
    """Retry for five seconds: on Windows, a virus scanner may hold a new file open."""
    for _ in range(50):
        try:
            return action(*paths)
        except PermissionError:
            time.sleep(0.1)
    return action(*paths)


def quote(path: str) -> str:
    """Return `path` as one word of a shell, quoted only if necessary."""
    if all(char.isalnum() or char in f"{os.sep}:._-" for char in path):
        return path
    return f'"{path}"' if os.name == "nt" else "'" + path.replace("'", "'\\''") + "'"


def print_next_steps() -> None:
    """Print how to run and test the project."""
    path = os.getcwd()
    steps = (
        f"Created {os.path.basename(path)}. Next steps:\n"
        f"    cd {quote(path)}\n"
        "    make run     # serves on an embedded PostgreSQL; requires only uv\n"
        "    make test\n"
        "Without make, for example on Windows:\n"
        "    uv run python -m dev.serve\n"
        "    uv run pytest --cov -n auto --dist worksteal\n"
    )
    # The encoding of the console may lack characters of the path.
    encoding = sys.stdout.encoding
    print(steps.encode(encoding, "backslashreplace").decode(encoding))


def main() -> None:
    """Finish the project in the working directory."""
    clean_files()
    apply_overlay(str(OPTIONS["database_layer"]))
    remove_unselected_features(OPTIONS)
    # cruft also generates projects to compare them: `cruft diff` should print only a difference.
    if HAS_COMMIT != "True":
        print_next_steps()


if __name__ == "__main__":
    main()
