"""sslmode and sslrootcert of a database URL are enforced as by libpq."""

import ssl
from pathlib import Path

import pytest
import trustme
from conftest import Project

from resilience.postgres_server import PostgresServer
from resilience.project_venv import run_module
from resilience.proxy import tcp_proxy

THOROUGH = pytest.mark.thorough


@pytest.mark.parametrize(
    ("certified", "options", "connects"),
    [
        (None, "sslmode=require", False),
        pytest.param(None, "sslmode=verify-full&sslrootcert={ca}", False, marks=THOROUGH),
        pytest.param(None, "sslmode=prefer", True, marks=THOROUGH),
        pytest.param("127.0.0.1", "sslmode=require", True, marks=THOROUGH),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert={ca}", True),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert={other_ca}", False),
        ("elsewhere.example", "sslmode=verify-full&sslrootcert={ca}", False),
        pytest.param(
            "elsewhere.example", "sslmode=verify-ca&sslrootcert={ca}", True, marks=THOROUGH
        ),
    ],
)
async def test_sslmode_decides_which_certificates_are_accepted(
    project: Project,
    server: PostgresServer,
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
    async with tcp_proxy(server, tls) as (proxy, through_proxy):
        url = f"{through_proxy.url(database)}&{options.format(**files)}"
        # The service's database layer, and the migrations.
        for command in ("check_connection",), ("alembic", "current"):
            if connects:
                await run_module(project, *command, DATABASE_URL=url)
            else:
                with pytest.raises(AssertionError):
                    await run_module(project, *command, DATABASE_URL=url)
        assert bool(proxy.encrypted) is (connects and certified is not None)
