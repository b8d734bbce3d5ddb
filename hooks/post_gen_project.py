"""Choose the database layer, drop what was not chosen, say what to do next.

Runs in the new project and touches nothing else; may run again on the same folder.
"""

import json
import shutil
from pathlib import Path

# tojson escapes every apostrophe and all but ASCII, so no answer can end this literal.
ANSWERS = json.loads(r'''{{ cookiecutter | tojson }}''')  # fmt: skip

# Which files belong to which feature; a feature that was not chosen loses them.
FEATURES = {
    "example": [
        "app/api/routes/articles.py",
        "app/api/routes/coupons.py",
        "app/db/models/articles.py",
        "app/db/models/coupons.py",
        "app/db/repositories/articles.py",
        "app/db/repositories/coupons.py",
        "app/schemas/articles.py",
        "app/schemas/coupons.py",
        "app/services",
        "migrations/versions/*_articles.py",
        "migrations/versions/*_coupons.py",
        "tests/examples",
    ],
}


def choose_database_layer(project: Path, layer: str) -> None:
    """Lay the overlay of `layer` over the project and remove all overlays."""
    variants = project / "_variants"
    if variants.is_dir():
        shutil.copytree(variants / layer, project, dirs_exist_ok=True)
        shutil.rmtree(variants)


def drop_feature(project: Path, feature: str) -> None:
    """Remove every file of `feature`."""
    for pattern in FEATURES[feature]:
        for path in project.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def main() -> None:
    """Finish the project in the working directory."""
    project = Path.cwd()
    choose_database_layer(project, ANSWERS["database_layer"])
    for feature in FEATURES:
        if not ANSWERS[feature]:
            drop_feature(project, feature)
    print(
        f"Created {project.name}. Next:\n"
        f"    cd {project.name}\n"
        "    make run     # serves on an embedded PostgreSQL; needs only uv\n"
        "    make test\n"
    )


if __name__ == "__main__":
    main()
