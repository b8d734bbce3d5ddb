"""Settings of background jobs."""

from pydantic import Field, SecretStr

from app.settings_base import SettingsGroup


class JobSettings(SettingsGroup):
    """The number of concurrent jobs, and the database connection of the worker."""

    #: Number of jobs that a worker runs at a time. PgQueuer reads jobs in batches of half of it.
    concurrency: int = Field(default=10, ge=2, le=1000, alias="JOBS_CONCURRENCY")
    #: A direct connection, if the service connects through a pooler.
    database_url: SecretStr | None = Field(default=None, alias="JOBS_DATABASE_URL")
