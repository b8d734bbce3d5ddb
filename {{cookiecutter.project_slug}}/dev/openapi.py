"""The command of `make openapi`: write the OpenAPI document to `openapi.json`.

The document depends only on the code: not on settings or a database, and not on the machine.
"""

import json
from pathlib import Path
from typing import Any

from app.main import create_app
from dev.default_settings import unreachable_settings

OPENAPI_FILE = Path(__file__).parents[1] / "openapi.json"


def build_document() -> dict[str, Any]:
    """Return the OpenAPI document. From then on, this process ignores the settings in `.env`."""
    return create_app(unreachable_settings()).openapi()


def to_json(document: dict[str, Any]) -> str:
    """Return the content of `openapi.json`."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    OPENAPI_FILE.write_text(to_json(build_document()), "utf-8", newline="\n")
