"""Settings that vary in tests."""

from typing import Any

from app.settings import Settings


def changed(settings: Settings, **service: Any) -> Settings:
    """Return the same settings with some changes to `ServiceSettings`."""
    return settings.model_copy(update={"service": settings.service.model_copy(update=service)})
