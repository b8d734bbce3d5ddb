"""Commands that list, retry and delete failed background jobs."""

from argparse import ArgumentTypeError, Namespace

from app.commands import Parsers, format_table
from app.db import Database
from app.job_queue.failed_jobs import FailedJob, FailedJobs
from app.settings import Settings

_HEADINGS = ("ID", "JOB", "ATTEMPTS", "FAILED AT", "ERROR")
_MAX_ERROR_LENGTH = 200


def add_commands(parsers: Parsers) -> None:
    """Add `jobs list`, `jobs retry` and `jobs delete`."""
    jobs = parsers.add_parser("jobs", help="list, retry or delete failed background jobs")
    actions = jobs.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="list failed jobs, the newest first")
    listing.add_argument("--limit", type=_positive, default=100, help="default: 100")
    listing.set_defaults(run=list_jobs)
    retry = actions.add_parser("retry", help="return failed jobs to the queue")
    selection = retry.add_mutually_exclusive_group(required=True)
    selection.add_argument("ids", metavar="ID", type=_positive, nargs="*", default=[])
    selection.add_argument("--all", action="store_true", help="all failed jobs")
    retry.set_defaults(run=retry_jobs)
    delete = actions.add_parser("delete", help="delete failed jobs")
    delete.add_argument("ids", metavar="ID", type=_positive, nargs="+")
    delete.set_defaults(run=delete_jobs)


async def list_jobs(options: Namespace, _: Settings, database: Database) -> str:
    """Return a table of failed jobs."""
    async with database.transaction() as transaction:
        jobs, total = await FailedJobs(transaction).list(options.limit)
    if not jobs:
        return "No job has failed."
    table = format_table([_HEADINGS, *map(_cells, jobs)])
    return f"{table}\n{len(jobs)} of {total}" if total > len(jobs) else table


async def retry_jobs(options: Namespace, _: Settings, database: Database) -> str:
    """Return failed jobs to the queue. Raises `AppError` if that is impossible for one of `ids`."""
    async with database.transaction() as transaction:
        jobs = FailedJobs(transaction)
        if not options.all:
            await jobs.retry(options.ids)
            return f"Returned to the queue: {_count(len({*options.ids}))}."
        retried, kept = await jobs.retry_all()
    message = f"Returned to the queue: {_count(retried)}."
    reason = "another job with the same unique key is queued or running"
    return f"{message}\nNot retried: {_count(kept)}, because {reason}." if kept else message


async def delete_jobs(options: Namespace, _: Settings, database: Database) -> str:
    """Delete failed jobs. Raises `NotFoundError` for unknown ones."""
    async with database.transaction() as transaction:
        await FailedJobs(transaction).delete(options.ids)
    return f"Deleted: {_count(len({*options.ids}))}."


def _cells(job: FailedJob) -> tuple[str, ...]:
    # Errors can have several lines.
    error = " ".join(job.error.split())
    if len(error) > _MAX_ERROR_LENGTH:
        error = f"{error[:_MAX_ERROR_LENGTH]}..."
    failed_at = f"{job.failed_at:%Y-%m-%dT%H:%M:%SZ}"
    return str(job.id), job.name, str(job.attempts), failed_at, error


def _count(number: int) -> str:
    return f"{number} job" if number == 1 else f"{number} jobs"


def _positive(text: str) -> int:
    """Return a number that PostgreSQL's type bigint can hold."""
    if not text.isdecimal() or not 0 < int(text) < 2**63:
        raise ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)
