"""A project of version 0.1.0, the first release, can be updated to this version."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import LAYERS, Project
from cruft_projects import CONTEXT, create, differing_files, update
from git_repo import GitRepo, copy_history
from httpx2 import Client, Response
from server_process import run_server
from shared_environment import install

pytestmark = pytest.mark.slow

#: Version 0.1.0.
RELEASED = "aa34f5963adba1a1fe8fb18f2d70b80138181232"

AUTH, ME = "/api/v1/auth", "/api/v1/users/me"
USER = {"email": "ada@example.com", "password": "four words of a test"}
#: Signs the access tokens of both releases.
SIGNING_KEY = "5mWkq9Zr2vXb7TnLc4HsYd8JfGp3Ae6Q"


@pytest.fixture
def template(tmp_path: Path) -> GitRepo:
    """Return a copy of this repository; skip the test if it does not contain the release."""
    template = copy_history(tmp_path / "template")
    if not template.git("cat-file", "-t", RELEASED, may_fail=True):
        pytest.skip(f"this clone does not contain the commit of version 0.1.0, {RELEASED[:7]}")
    return template


@pytest.mark.parametrize("layer", LAYERS)
def test_untouched_project_becomes_identical_to_a_new_one(
    layer: str, template: GitRepo, tmp_path: Path
) -> None:
    context = CONTEXT | {"database_layer": layer, "kubernetes": True}
    project = create(tmp_path / "mine", template, RELEASED, context)

    update(project)

    assert project.conflicts() == set()
    fresh = create(tmp_path / "fresh", template, "main", context)
    assert differing_files(project, fresh) == set()


@contextmanager
def make_run(project: GitRepo) -> Iterator[Client]:
    """Migrate the database and run the service; yield a client of it."""
    command = ["make", "run"]
    with (
        run_server(command, project.path, AUTH_SECRETS=SIGNING_KEY) as server,
        Client(base_url=server.base_url, timeout=60) as client,
    ):
        yield client


def log_in(client: Client, password: str = USER["password"]) -> Response:
    """Log in as `USER`."""
    form = {"username": USER["email"], "password": password}
    return client.post(f"{AUTH}/token", data=form)


def bearer(tokens: dict[str, str]) -> dict[str, str]:
    """Return the header that authenticates a request."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@pytest.mark.parametrize("layer", LAYERS)
def test_users_and_their_sessions_survive_the_update(
    layer: str, template: GitRepo, tmp_path: Path
) -> None:
    project = create(tmp_path / "mine", template, RELEASED, CONTEXT | {"database_layer": layer})
    install(Project(project.path))
    with make_run(project) as client:
        user = client.post(f"{AUTH}/register", json=USER).json()
        tokens = log_in(client).json()
    project.commit("Lock the dependencies")

    update(project)

    with make_run(project) as client:
        assert client.get(ME, headers=bearer(tokens)).json().items() >= user.items()
        body = {"refresh_token": tokens["refresh_token"]}
        refreshed = client.post(f"{AUTH}/refresh", json=body)
        assert refreshed.status_code == 200
        assert client.get(ME, headers=bearer(refreshed.json())).status_code == 200
        assert log_in(client).status_code == 200
        assert log_in(client, "a wrong password").status_code == 401
