"""Log lines are JSON in production and text in development, with the request ID."""

import json
import logging
import re
from collections.abc import Iterator

import pytest

from app.log_config import configure_logging, request_id_var
from app.settings import Settings
from tests.service_settings import changed


@pytest.fixture(autouse=True)
def restore_root_logger() -> Iterator[None]:
    """Restore the root logger after each test."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_production_logs_json(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(changed(settings, environment="production").service)
    token = request_id_var.set("trace-1")
    extra = {"status": 200, "color_message": "ready: \x1b[1myes"}
    logging.getLogger("anything").warning("ready: %s", "yes", extra=extra)
    request_id_var.reset(token)
    line = json.loads(capsys.readouterr().err)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", line.pop("time"))
    assert line == {
        "level": "WARNING",
        "logger": "anything",
        "message": "ready: yes",
        "request_id": "trace-1",
        "service": settings.service.service_name,
        "status": 200,
    }


def test_development_logs_one_readable_line(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    # A second call replaces the handler of the first one.
    configure_logging(settings.service)
    configure_logging(settings.service)
    logging.getLogger("anything").warning("ready")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("WARNING [-] ready")


def test_log_level_is_configurable(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(changed(settings, log_level="ERROR").service)
    logging.getLogger("anything").warning("below the level")
    assert capsys.readouterr().err == ""
