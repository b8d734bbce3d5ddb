"""`make demo` and `make run`, as a person meets them: from the first line to the last process."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import LAYERS, TEMPLATE, Bake, clean_environment
from server_process import ServerProcess, find_processes, free_port, remaining_processes, run_server

pytestmark = pytest.mark.slow

if sys.platform == "win32":
    pytest.skip("the Makefile is for Linux and macOS", allow_module_level=True)


def demo_command(layer: str) -> list[str]:
    """The `uv run` line behind the target, whose exit status make would replace."""
    dry_run = subprocess.run(
        ["make", "--dry-run", "demo", f"DATABASE_LAYER={layer}"],
        cwd=TEMPLATE,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return shlex.split(dry_run.stdout.splitlines()[-1])


def tell_story(server: ServerProcess) -> list[str]:
    """Walk through the example and return what was answered, without ids and times."""
    api = "/api/v1"
    article = {"title": "A title", "slug": "a-slug", "text": "Some text."}
    coupon = {"code": "TWICE", "init_count": 2}
    told: list[object] = []

    def ask(method: str, path: str, body: object = None) -> tuple[int, Any]:
        status, answer, headers = server.request(method, path, body)
        shown = {name: headers.get(name) for name in ("content-type", "location", "link", "allow")}
        told.append((method, status, answer, shown))
        return status, answer

    assert len(server.request("GET", f"{api}/articles")[1]) >= 3
    ask("GET", f"{api}/articles?limit=2")
    status, created = ask("POST", f"{api}/articles", article)
    assert status == 201
    where = f"{api}/articles/{created['id']}"
    status, problem = ask("POST", f"{api}/articles", article)
    assert (status, problem["field"]) == (409, "slug")
    assert ask("GET", where) == (200, created)
    assert ask("PATCH", where, {"title": "Another"}) == (200, {**created, "title": "Another"})
    assert ask("DELETE", where) == (204, None)
    assert ask("GET", where)[0] == 404

    status, created = ask("POST", f"{api}/coupons", coupon)
    assert status == 201
    where = f"{api}/coupons/{created['id']}"
    assert [ask("POST", f"{where}/redemptions")[0] for _ in range(3)] == [201, 201, 409]
    assert ask("GET", where)[1]["remaining_count"] == 0
    assert ask("GET", "/readyz") == (200, {"status": "ok"})
    ask("POST", f"{api}/articles", {"title": "x" * 66})
    ask("PUT", f"{api}/articles")
    ask("GET", "/nowhere")
    masked = re.sub(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", "<id>", repr(told))
    masked = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", masked)
    masked = re.sub(r"after=[\w-]+", "after=<id>", masked)
    return masked.replace("), (", "),\n(").splitlines()


def test_both_layers_tell_the_same_story_and_stop_without_a_trace(tmp_path: Path) -> None:
    stories = []
    for layer, stop in zip(LAYERS, (ServerProcess.interrupt, ServerProcess.terminate), strict=True):
        folder = tmp_path / layer
        folder.mkdir()
        with run_server(demo_command(layer), TEMPLATE, TMPDIR=str(folder)) as server:
            stories.append(tell_story(server))
            assert server.socket_folder.exists()
            assert find_processes(folder)

            assert stop(server) == 0

        assert not find_processes(folder)
        assert not server.socket_folder.exists()
        # The lock is that of the outermost uv, on this template's own environment.
        assert [path.name for path in folder.iterdir() if not path.match("uv-*.lock")] == []

    assert stories[0] == stories[1]


@pytest.mark.parametrize("layer", LAYERS)
def test_killing_everything_loses_nothing(layer: str, bake: Bake) -> None:
    project = bake(database_layer=layer)
    article = {"title": "Kept", "slug": "kept", "text": "Whatever happens."}
    with run_server(["make", "run"], project.path) as server:
        assert server.request("POST", "/api/v1/articles", article)[0] == 201
        for process in find_processes(project.path):
            # The end of one may be the end of another.
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
    assert not remaining_processes(project.path)

    with run_server(["make", "run"], project.path) as server:
        [kept] = server.request("GET", "/api/v1/articles")[1]

    assert kept["slug"] == "kept"


def test_a_port_that_was_asked_for_and_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        done = subprocess.run(
            demo_command("async-session"),
            cwd=TEMPLATE,
            env=clean_environment({"PORT": port}),
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr


# On Windows, a child that has ended is no zombie: it is not there.
WITHOUT_ZOMBIES = """
import psutil

children = psutil.Process.children


def running(process, recursive=False):
    found = children(process, recursive)
    return [child for child in found if child.status() != psutil.STATUS_ZOMBIE]


psutil.Process.children = running
"""


@pytest.mark.parametrize("system", ["like Linux", "like Windows"])
def test_a_module_that_cannot_be_imported_ends_it(system: str, bake: Bake, tmp_path: Path) -> None:
    project = bake()
    (project.path / "app" / "main.py").write_text("import nothing_of_this_name\n", "utf-8")
    if system == "like Windows":
        (tmp_path / "sitecustomize.py").write_text(WITHOUT_ZOMBIES, "utf-8")
    project.run("uv", "sync", "--quiet")

    started = time.monotonic()
    done = project.try_to_run(
        *("uv", "run", "python", "-m", "dev.serve"),
        variables={"PYTHONPATH": str(tmp_path), "PORT": str(free_port())},
    )

    assert done.returncode == 1
    assert done.stdout.endswith("The service did not start, see above.\n")
    # It would wait for a minute.
    assert time.monotonic() - started < 45
    assert not remaining_processes(project.path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root lends its files")
def test_root_may_have_installed_it_under_a_strict_umask(bake: Bake) -> None:
    project = bake(example=False, auth=False)

    project.run("sh", "-c", "umask 077 && uv sync --quiet")

    project.run("uv", "run", "pytest", "tests/test_servers.py")
