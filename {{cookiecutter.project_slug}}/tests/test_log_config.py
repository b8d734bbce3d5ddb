"""Log lines: for machines in production, for people elsewhere, and always with the request id."""

import json
import logging
import re
from collections.abc import Iterator

import pytest

from app.log_config import configure_logging, request_id
from app.settings import Settings
from tests.service_settings import changed


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    """Put the loggers back as they were."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_a_line_in_production_is_an_object(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(changed(settings, environment="production").service)
    token = request_id.set("the-id")
    extra = {"status": 200, "color_message": "it is \x1b[1mso"}
    logging.getLogger("anything").warning("it is %s", "so", extra=extra)
    request_id.reset(token)
    line = json.loads(capsys.readouterr().err)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", line.pop("time"))
    assert line == {
        "level": "WARNING",
        "logger": "anything",
        "message": "it is so",
        "request_id": "the-id",
        "service": settings.service.service_name,
        "status": 200,
    }


def test_a_line_in_development_is_for_people(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings.service)
    configure_logging(settings.service)
    logging.getLogger("anything").warning("it is so")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("WARNING [-] it is so")


def test_the_level_is_a_setting(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(changed(settings, log_level="ERROR").service)
    logging.getLogger("anything").warning("not this")
    assert capsys.readouterr().err == ""
