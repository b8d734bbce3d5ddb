"""`openapi.json`, which `make openapi` writes for generators of clients."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev.default_settings import setting_names
from dev.openapi import OPENAPI_FILE, to_json
from tests.databases import ROOT
from tests.openapi_contract import DOCUMENT


def test_openapi_file_is_current() -> None:
    if not OPENAPI_FILE.exists():
        pytest.skip("there is no openapi.json, which `make openapi` writes")
    is_current = OPENAPI_FILE.read_text("utf-8") == to_json(DOCUMENT)
    assert is_current, "openapi.json is out of date: run `make openapi`, and commit the file"


@pytest.mark.slow
def test_document_does_not_depend_on_settings(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SERVICE_NAME=other\nROOT_PATH=/prefix\n", "utf-8")
    code = "from dev.openapi import *; print(to_json(build_document()), end='')"
    environment = {**os.environ, **dict.fromkeys(setting_names(), "[invalid")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout == to_json(DOCUMENT)
