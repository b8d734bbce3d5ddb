"""The default settings, independent of the developer's environment.

For the tests, and for `dev.openapi`.
"""

import os

from app.settings import DatabaseSettings, Settings, settings_groups
from app.settings_base import SettingsGroup


def unreachable_settings() -> Settings:
    """Return the default settings with a database that cannot be reached."""
    clear_settings()
    return Settings(
        database=DatabaseSettings(POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=1, POSTGRES_USER="me")
    )


def setting_names() -> set[str]:
    """Return the names of all variables that the service reads."""
    return {
        field.alias or name.upper()
        for group in settings_groups()
        for name, field in group.model_fields.items()
    }


def clear_settings() -> None:
    """Ignore the settings that a developer has in the environment and in `.env`."""
    SettingsGroup.env_file = None
    renamed = {name for group in settings_groups() for name in group.renamed}
    for name in setting_names() | renamed:
        os.environ.pop(name, None)
