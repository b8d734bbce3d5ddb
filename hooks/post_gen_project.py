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

# The contents of feature_files.txt.
FEATURE_FILES = """{{ feature_files }}"""


def parse_features(text: str) -> list[tuple[dict[str, object], list[str]]]:
    """Return the options of each heading, and the files below it."""
    features: list[tuple[dict[str, object], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("["):
            pairs = [pair.partition("=") for pair in line.strip("[]").split()]
            required: dict[str, object] = {
                name: value == "true" if value in {"true", "false"} else value
                for name, _, value in pairs
            }
            features.append((required, []))
        elif line and not line.startswith("#"):
            features[-1][1].append(line)
    return features


FILES_BY_FEATURE = parse_features(FEATURE_FILES)


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
    """Remove the files of every feature that `options` do not select, unless another has them."""
    selected: set[str] = set()
    unselected: list[str] = []
    for required, names in FILES_BY_FEATURE:
        if unknown := required.keys() - options.keys():
            names = sorted(unknown)
            sys.exit(f"feature_files.txt: cookiecutter.json has no option {', '.join(names)}")
        if all(str(options[name]) == str(value) for name, value in required.items()):
            selected.update(names)
        else:
            unselected += names
    for name in unselected:
        if name not in selected:
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
