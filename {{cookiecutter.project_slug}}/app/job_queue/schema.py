"""The database objects of PgQueuer, which the migration `0011_jobs` creates.

They are in a separate schema, so that Alembic does not compare them with the models.
"""

from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import Driver

from app.job_queue.queries import JobQueries

#: The channel of the notifications. Channels have no schema.
CHANNEL = Channel("jobs")

# All names, because the library would read missing ones from variables such as `CHANNEL`.
_SETTINGS = DBSettings(
    prefix="",
    db_schema="jobs",
    channel=CHANNEL,
    function="fn_pgqueuer_changed",
    trigger="tg_pgqueuer_changed",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    queue_status_type="pgqueuer_status",
    statistics_table="pgqueuer_statistics",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)
_BUILDERS = (
    QueryBuilderEnvironment(_SETTINGS),
    QueryQueueBuilder(_SETTINGS),
    QuerySchedulerBuilder(_SETTINGS),
)


def job_queries(driver: Driver) -> JobQueries:
    """Return the queries on these objects."""
    return JobQueries(driver, *_BUILDERS)
