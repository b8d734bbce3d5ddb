"""Messages are delivered to a mail server, later if it is unavailable, and never twice."""

import asyncio
from collections.abc import Awaitable, Callable

import aiosmtplib
import asyncpg
import pytest

from app.job_queue import JobContext, PermanentError
from app.jobs.send_mail import SendMail
from app.mail import transports
from tests.jobs.conftest import Enqueue, StartWorker
from tests.jobs.mail_server import ID, MAIL, MailServer, mailer_for
from tests.waiting import wait_until

SendJob = Callable[[MailServer], Awaitable[None]]


@pytest.fixture
def send_job(
    job_context: JobContext,
    enqueue: Enqueue,
    start_worker: StartWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> SendJob:
    """Return a function that starts a worker and enqueues a message to a server."""
    monkeypatch.setattr(SendMail, "retry_delay", 0.05)

    async def send(server: MailServer) -> None:
        job_context.state.mailer = mailer_for(server.url())
        start_worker([SendMail])
        await enqueue(SendMail(mail=MAIL))

    return send


async def until_sent(queue: asyncpg.Connection) -> None:
    await wait_until(lambda: queue.fetchval("SELECT count(*) = 0 FROM jobs.pgqueuer"))


async def test_message_is_delivered_once(send_job: SendJob, queue: asyncpg.Connection) -> None:
    server = MailServer()
    async with server.running():
        await send_job(server)
        await until_sent(queue)

    assert server.envelopes == [("tests@example.com", [MAIL.to])]
    (message,) = server.messages
    assert message["Subject"] == MAIL.subject
    assert message.get_content().replace("\r\n", "\n") == MAIL.text


async def test_message_is_delivered_when_the_server_is_available_again(
    send_job: SendJob, queue: asyncpg.Connection
) -> None:
    server = MailServer()
    async with server.running():
        # Only to choose a port.
        pass
    await send_job(server)
    await wait_until(lambda: queue.fetchval("SELECT attempts >= 2 FROM jobs.pgqueuer"))

    async with server.running():
        await until_sent(queue)

    assert len(server.messages) == 1


def test_attempts_last_two_days() -> None:
    delays = [SendMail.delay_after(attempt) for attempt in range(1, SendMail.max_attempts)]

    assert delays[0].total_seconds() == 5
    assert max(delays).total_seconds() == 3600
    assert 48 < sum(delay.total_seconds() for delay in delays) / 3600 < 52


async def test_repeated_message_has_the_same_id(
    send_job: SendJob, queue: asyncpg.Connection
) -> None:
    server = MailServer(responses={"DATA": "451 Try again"})
    async with server.running():
        await send_job(server)
        await until_sent(queue)

    first, second = server.messages
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize(
    ("command", "response"), [("RCPT", "550 No such user"), ("DATA", "554 Rejected")]
)
async def test_rejected_message_is_kept_and_not_repeated(
    send_job: SendJob, queue: asyncpg.Connection, command: str, response: str
) -> None:
    server = MailServer(responses={command: response})
    async with server.running():
        await send_job(server)
        await wait_until(lambda: queue.fetchval("SELECT status = 'failed' FROM jobs.pgqueuer"))

    assert await queue.fetchval("SELECT attempts FROM jobs.pgqueuer") == 0


@pytest.mark.parametrize(
    ("command", "error"),
    [("RCPT", aiosmtplib.SMTPRecipientsRefused), ("DATA", aiosmtplib.SMTPDataError)],
)
async def test_temporary_rejection_is_not_permanent(command: str, error: type[Exception]) -> None:
    server = MailServer(responses={command: "451 Busy"})
    async with server.running():
        with pytest.raises(error) as raised:
            await mailer_for(server.url()).send(MAIL, ID)
    assert not isinstance(raised.value, PermanentError)


async def test_unresponsive_server_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "_TIMEOUT", 0.1)
    connections = []
    silent = await asyncio.start_server(lambda *args: connections.append(args), "127.0.0.1", 0)
    url = f"smtp://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await mailer_for(url).send(MAIL, ID)
    for _, writer in connections:
        writer.close()
    silent.close()
