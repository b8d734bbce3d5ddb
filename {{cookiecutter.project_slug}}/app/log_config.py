"""Logging configuration: JSON lines in production, readable lines elsewhere.

Every line carries the ID of the request during which it was logged.
"""

import logging
import os
import sys
from contextvars import ContextVar

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from app.settings import ServiceSettings, SettingsError

#: The ID of the request that the current task serves; "-" outside a request.
request_id: ContextVar[str] = ContextVar("request_id", default="-")

_HANDLER_NAME = "service"
_FIELDS = "%(levelname)s %(name)s %(request_id)s %(message)s"


def configure_logging(settings: ServiceSettings) -> None:
    """Send the lines of all loggers to standard error, in one format. May be called repeatedly."""
    handler = logging.StreamHandler(sys.stderr)
    handler.name = _HANDLER_NAME
    handler.setFormatter(_formatter(settings))
    handler.addFilter(_add_request_id)

    root = logging.getLogger()
    for previous in [known for known in root.handlers if known.name == _HANDLER_NAME]:
        root.removeHandler(previous)
    root.addHandler(handler)
    root.setLevel(settings.log_level)

    # uvicorn's messages use the same handler, except its access log: it has no request ID, and
    # `RequestContextMiddleware` writes one instead.
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
        # In UTC with microseconds, so that the lines of several servers can be sorted.
        timestamp="time",
    )


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    return True


def log_startup_failure(error: SettingsError) -> None:
    """Log invalid settings as the last line of the process, in the configured format.

    Also sets the exit status of the error to 1, so that Python does not print its message again.
    """
    try:
        service = ServiceSettings()
    except ValueError:
        # The invalid setting is one of these. The format depends on ENVIRONMENT only.
        name = os.environ.get("ENVIRONMENT") or "development"
        service = ServiceSettings.model_construct(environment=name)
    configure_logging(service)
    logging.getLogger(__name__).critical("The service cannot start: %s", error)
    error.code = 1
