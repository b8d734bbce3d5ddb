"""The names of all settings, and a process that has none of them set."""

import os

from app.settings import DatabaseSettings, Settings


def setting_names() -> set[str]:
    """Every variable that the settings read."""
    own = {name.upper() for name in Settings.model_fields if name != "database"}
    aliases = {str(field.validation_alias) for field in DatabaseSettings.model_fields.values()}
    return own | aliases


def forget_settings() -> None:
    """Make the tests independent of what a developer has set for `make run`."""
    for name in setting_names():
        os.environ.pop(name, None)
    for group in (Settings, DatabaseSettings):
        group.model_config["env_file"] = None
