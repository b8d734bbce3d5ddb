"""Log lines: JSON in production, readable elsewhere; each carries the id of its request."""

import logging
import os
import sys
from contextvars import ContextVar

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from app.settings import ServiceSettings, SettingsError

#: The id of the request that the current task serves; "-" outside of one.
request_id: ContextVar[str] = ContextVar("request_id", default="-")

_FIELDS = "%(levelname)s %(name)s %(request_id)s %(message)s"


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    return True


def _formatter(settings: ServiceSettings) -> logging.Formatter:
    if settings.environment in {"development", "test"}:
        return logging.Formatter("%(asctime)s %(levelname)-7s [%(request_id)s] %(message)s")
    return JsonFormatter(
        _FIELDS,
        rename_fields={"levelname": "level", "name": "logger"},
        # The server's message once more, with colours.
        reserved_attrs=[*RESERVED_ATTRS, "color_message"],
        static_fields={"service": settings.service_name},
        # In UTC to the microsecond, so that lines of two servers sort.
        timestamp="time",
    )


def configure_logging(settings: ServiceSettings) -> None:
    """Send every logger's lines to standard error in one form; may be called again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.name = "service"
    handler.setFormatter(_formatter(settings))
    handler.addFilter(_add_request_id)

    root = logging.getLogger()
    for previous in [known for known in root.handlers if known.name == handler.name]:
        root.removeHandler(previous)
    root.addHandler(handler)
    root.setLevel(settings.log_level)

    # The server's own lines join the others; its access line knows no request id.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"


def log_refused_start(error: SettingsError) -> None:
    """Log why the service cannot start, as the one line that the process ends with."""
    try:
        service = ServiceSettings()
    except ValueError:
        # The other settings may be invalid; the form of the line depends on ENVIRONMENT only.
        name = os.environ.get("ENVIRONMENT") or "development"
        service = ServiceSettings.model_construct(environment=name)
    configure_logging(service)
    logging.getLogger(__name__).critical("The service cannot start: %s", error)
    error.code = 1
