"""Reject invalid values of a replay file, and a folder that already has files.

`prompt_validation.py` validates all values after the prompts. For a replay file, cookiecutter skips
the prompts and that validation.
"""

import os
import sys

# Rendered by the extension, which a replay file can remove. The text between the quotes of a JSON
# string is also valid in a Python string; importing `json` would take longer than this hook.
REPORT = """{{
    (
        (
            cookiecutter | validation_report
            if 'validation_report' is filter
            else 'No project was generated: the replay file changes _extensions.'
        )
        | tojson
    )[1:-1]
}}"""


def find_problem() -> str:
    """Return why no project can be generated in the working directory, or an empty string."""
    # cookiecutter would overwrite the files, and the second hook would remove unselected ones.
    if not REPORT and set(os.listdir()) - {".git"}:
        return (
            f"No project was generated: the folder {os.path.basename(os.getcwd())} is not empty.\n"
            "Choose another project_slug, or update the project in the folder with cruft."
        )
    return REPORT


if __name__ == "__main__":
    sys.exit(find_problem() or 0)
