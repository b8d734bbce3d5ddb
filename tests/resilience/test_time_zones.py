"""Responses do not depend on the time zone of the process or the server."""

from pathlib import Path

from conftest import Project

from resilience.load import ARTICLES, create_coupon, new_article, open_client
from resilience.postgres_server import PostgresServer
from resilience.service_process import run_service


async def test_responses_are_identical_in_every_time_zone(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    url = server.url(database)
    async with (
        run_service(project, url, tmp_path / "utc-log", TZ="UTC") as service,
        open_client(service) as utc_client,
    ):
        first = await utc_client.post(ARTICLES, json=new_article())
        async with server.superuser_connection(database) as superuser:
            await superuser.execute(f"ALTER DATABASE {database} SET timezone TO 'Asia/Kolkata'")
        async with (
            run_service(project, url, tmp_path / "new-york-log", TZ="America/New_York") as service,
            open_client(service) as new_york_client,
        ):
            second = await new_york_client.post(ARTICLES, json=new_article())
            coupon = await create_coupon(new_york_client, 1)
            redemption = (await new_york_client.post(f"{coupon}/redemptions")).json()
            for created in (first, second):
                for client in (utc_client, new_york_client):
                    read = await client.get(created.headers["Location"])
                    assert read.content == created.content
            assert (await utc_client.get(ARTICLES)).content == (
                await new_york_client.get(ARTICLES)
            ).content
    created_at = [first.json()["created_at"], second.json()["created_at"], redemption["created_at"]]
    assert created_at == sorted(created_at)
    assert all(timestamp.endswith("Z") for timestamp in created_at)
