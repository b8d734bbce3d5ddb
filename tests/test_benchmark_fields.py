"""A field that only the articles of the project have is reported before a benchmark."""

from pathlib import Path

import pytest

from benchmarks.schema_check import SCHEMAS, check_fields
from benchmarks.services import InvalidRunError


def test_services_of_the_benchmark_have_the_fields_of_the_project() -> None:
    check_fields()


def test_new_field_is_reported_with_the_files_to_change(tmp_path: Path) -> None:
    source = SCHEMAS.read_text("utf-8")
    changed = tmp_path / "articles.py"
    changed.write_text(source.replace("    text: ", "    summary: str\n    text: "), "utf-8")

    with pytest.raises(InvalidRunError) as raised:
        check_fields(changed)

    listed = str(raised.value).splitlines()[1:]
    fields = "created_at, id, slug, summary, text, title"
    documented, raw = (
        "benchmarks/in_venv/documented_pattern.py",
        "benchmarks/in_venv/raw_asyncpg.py",
    )
    for path in (documented, raw):
        assert f"  - {path} reads created_at, id, slug, text, title instead of {fields}" in listed
    assert f"  - {raw} does not write summary" in listed
    assert "  - benchmarks/in_venv/seeded_postgres.py does not write summary" in listed
    sent = "sends slug, text, title instead of slug, summary, text, title"
    assert f"  - benchmarks/routes.py {sent}" in listed


def test_optional_field_may_be_omitted_from_requests(tmp_path: Path) -> None:
    source = SCHEMAS.read_text("utf-8")
    create = 'class ArticleCreate(RequestBody):\n    """A new article."""\n'
    assert create in source
    changed = tmp_path / "articles.py"
    changed.write_text(source.replace(create, f"{create}\n    note: str | None = None"), "utf-8")

    check_fields(changed)
