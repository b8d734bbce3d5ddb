"""Logging configuration: JSON lines in production, readable lines elsewhere.

Every line carries the ID of the request during which it was logged.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from app.settings import ServiceSettings, SettingsError

#: The ID of the request that the current task serves; "-" outside a request.
request_id_var: ContextVar[str] = ContextVar("request_id", default="-")

_HANDLER_NAME = "service"
_FIELDS = "%(levelname)s %(name)s %(request_id)s %(message)s"


def configure_logging(settings: ServiceSettings) -> None:
    """Send the lines of all loggers to standard error, in one format.

    A further call replaces the configuration of the previous one.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.name = _HANDLER_NAME
    handler.setFormatter(_formatter(settings))
    handler.addFilter(_add_request_id)

    root = logging.getLogger()
    # Other handlers stay, such as that of pytest.
    for other in list(root.handlers):
        if other.name == _HANDLER_NAME:
            root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(settings.log_level)

    # uvicorn's own handlers are removed, so that its lines reach the root logger. Its access log is
    # dropped: it has no request ID, and `RequestContextMiddleware` logs each request instead.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"


def _formatter(settings: ServiceSettings) -> logging.Formatter:
    if settings.environment in {"development", "test"}:
        return logging.Formatter("%(asctime)s %(levelname)-7s [%(request_id)s] %(message)s")
    return JsonFormatter(
        _FIELDS,
        rename_fields={"levelname": "level", "name": "logger"},
        # `color_message` is uvicorn's copy of the message with terminal colours.
        reserved_attrs=[*RESERVED_ATTRS, "color_message"],
        static_fields={"service": settings.service_name},
        # The name of the field. In UTC with microseconds, to sort the lines of several servers.
        timestamp="time",
    )


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id_var.get()
    return True


@contextmanager
def logged_startup_failure() -> Iterator[None]:
    """Log invalid settings in the configured format, as the last line of the process.

    Also replaces the message in the `SettingsError` by the exit status 1: it is a `SystemExit`, and
    Python would print the message again.
    """
    try:
        yield
    except SettingsError as error:
        _log_startup_failure(error)
        error.code = 1
        raise


def _log_startup_failure(error: SettingsError) -> None:
    try:
        service = ServiceSettings()
    except ValueError:
        # One of the invalid settings is in this group, so use its defaults. The format depends only
        # on ENVIRONMENT.
        name = os.environ.get("ENVIRONMENT") or "development"
        service = ServiceSettings.model_construct(environment=name)
    configure_logging(service)
    logging.getLogger(__name__).critical("The service cannot start: %s", error)
