"""Settings in tests: independent of the developer's environment, and easy to vary."""

import os
from typing import Any

from app.components import discover_components
from app.settings import DatabaseSettings, ServiceSettings, Settings
from app.settings_base import SettingsGroup

GROUPS: list[type[SettingsGroup]] = [
    ServiceSettings,
    DatabaseSettings,
    *(component.settings_group for component in discover_components() if component.settings_group),
]


def setting_names() -> set[str]:
    """Return the names of all variables that the service reads."""
    return {
        field.alias or name.upper()
        for group in GROUPS
        for name, field in group.model_fields.items()
    }


def clear_settings() -> None:
    """Ignore the settings that a developer has in the environment and in `.env`."""
    SettingsGroup.env_file = None
    renamed = {name for group in GROUPS for name in group.renamed}
    for name in setting_names() | renamed:
        os.environ.pop(name, None)


def changed(settings: Settings, **service: Any) -> Settings:
    """Return the same settings with some changes to `ServiceSettings`."""
    return settings.model_copy(update={"service": settings.service.model_copy(update=service)})
