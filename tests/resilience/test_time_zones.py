"""Where the process and the server are makes no difference."""

from pathlib import Path

from conftest import Project

from resilience.load import ARTICLES, client_of, control, create_coupon, new_article
from resilience.service_process import Server, serving


async def test_the_same_bytes_in_every_time_zone(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    url = server.url(database)
    async with (
        serving(project, url, tmp_path / "here", TZ="UTC") as service,
        client_of(service) as here,
    ):
        first = await here.post(ARTICLES, json=new_article())
        async with control(server, database) as connection:
            await connection.execute(f"ALTER DATABASE {database} SET timezone TO 'Asia/Kolkata'")
        async with (
            serving(project, url, tmp_path / "there", TZ="America/New_York") as service,
            client_of(service) as there,
        ):
            second = await there.post(ARTICLES, json=new_article())
            coupon = await create_coupon(there, 1)
            redemption = (await there.post(f"{coupon}/redemptions")).json()
            for created in (first, second):
                for client in (here, there):
                    read = await client.get(created.headers["Location"])
                    assert read.content == created.content
            assert (await here.get(ARTICLES)).content == (await there.get(ARTICLES)).content
    created_at = [first.json()["created_at"], second.json()["created_at"], redemption["created_at"]]
    assert created_at == sorted(created_at)
    assert all(moment.endswith("Z") for moment in created_at)
