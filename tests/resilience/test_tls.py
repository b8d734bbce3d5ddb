"""TLS is what the address says, as libpq has it: never less."""

import ssl
from pathlib import Path

import pytest
import trustme
from conftest import Project

from resilience.proxy import over_tcp
from resilience.service_process import Server, run


@pytest.mark.parametrize(
    ("certified", "options", "connects"),
    [
        (None, "sslmode=require", False),
        (None, "sslmode=verify-full&sslrootcert={ca}", False),
        (None, "sslmode=prefer", True),
        ("127.0.0.1", "sslmode=require", True),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert={ca}", True),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert={other_ca}", False),
        ("elsewhere.example", "sslmode=verify-full&sslrootcert={ca}", False),
        ("elsewhere.example", "sslmode=verify-ca&sslrootcert={ca}", True),
    ],
)
async def test_the_address_decides_what_is_trusted(
    project: Project,
    server: Server,
    database: str,
    tmp_path: Path,
    certified: str | None,
    options: str,
    *,
    connects: bool,
) -> None:
    authorities = {"ca": trustme.CA(), "other_ca": trustme.CA()}
    for name, authority in authorities.items():
        authority.cert_pem.write_to_path(tmp_path / name)
    tls = None
    if certified is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authorities["ca"].issue_cert(certified).configure_cert(tls)
    files = {name: tmp_path / name for name in authorities}
    async with over_tcp(server, tls) as (proxy, through):
        url = f"{through.url(database)}&{options.format(**files)}"
        # The application and the migrations.
        for command in ("check_connection",), ("alembic", "current"):
            if connects:
                await run(project, *command, DATABASE_URL=url)
            else:
                with pytest.raises(AssertionError):
                    await run(project, *command, DATABASE_URL=url)
        assert bool(proxy.encrypted) is (connects and certified is not None)
