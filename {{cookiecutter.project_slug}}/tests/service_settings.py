"""The names of all settings, and a process that has none of them set."""

import os
from typing import Any, cast

from pydantic_settings import BaseSettings

from app.settings import Settings

GROUPS: list[type[BaseSettings]] = [
    cast("type[BaseSettings]", field.annotation) for field in Settings.model_fields.values()
]


def setting_names() -> set[str]:
    """Every variable that the settings read."""
    return {
        field.alias or name.upper()
        for group in GROUPS
        for name, field in group.model_fields.items()
    }


def forget_settings() -> None:
    """Make the tests independent of what a developer has set for `make run`."""
    for name in setting_names():
        os.environ.pop(name, None)
    for group in GROUPS:
        group.model_config["env_file"] = None


def changed(settings: Settings, **service: Any) -> Settings:
    """The same settings but for some of the service's."""
    return settings.model_copy(update={"service": settings.service.model_copy(update=service)})
