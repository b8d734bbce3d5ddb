"""`make demo` and `make run`: output, signals, and the processes and files that remain."""

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
from conftest import LAYERS, TEMPLATE, Bake, clean_environment, needs_two_layers
from demo_commands import read_hints, run_documented_commands
from server_process import ServerProcess, find_processes, free_port, remaining_processes, run_server
from shared_environment import install

pytestmark = pytest.mark.slow

if sys.platform == "win32":
    pytest.skip("the Makefile is for Linux and macOS", allow_module_level=True)


def demo_command(layer: str) -> list[str]:
    """Return the `uv run` line of the target, because make replaces its exit status."""
    dry_run = subprocess.run(
        ["make", "--dry-run", "demo", f"DATABASE_LAYER={layer}"],
        cwd=TEMPLATE,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return shlex.split(dry_run.stdout.splitlines()[-1])


def exercise_api(server: ServerProcess, api_key: str) -> list[str]:
    """Send requests to the example and return the responses, with IDs and times masked."""
    api = "/api/v1"
    article = {"title": "A title", "slug": "a-slug", "text": "Some text."}
    coupon = {"code": "TWICE", "init_count": 2}
    responses: list[object] = []

    def send(method: str, path: str, body: object = None) -> tuple[int, Any]:
        authorization = {"Authorization": f"Bearer {api_key}"}
        status, content, headers = server.request(method, path, body, **authorization)
        shown = {name: headers.get(name) for name in ("content-type", "location", "link", "allow")}
        responses.append((method, status, content, shown))
        return status, content

    for resource in ("articles", "coupons"):
        assert len(server.request("GET", f"{api}/{resource}")[1]) == 20
        send("GET", f"{api}/{resource}?limit=2")
    status, created = send("POST", f"{api}/articles", article)
    assert status == 201
    url = f"{api}/articles/{created['id']}"
    status, problem = send("POST", f"{api}/articles", article)
    assert (status, problem["field"]) == (409, "slug")
    assert send("GET", url) == (200, created)
    assert send("PATCH", url, {"title": "Another"}) == (200, {**created, "title": "Another"})
    assert send("DELETE", url) == (204, None)
    assert send("GET", url)[0] == 404

    status, created = send("POST", f"{api}/coupons", coupon)
    assert status == 201
    url = f"{api}/coupons/{created['id']}"
    assert [send("POST", f"{url}/redemptions")[0] for _ in range(3)] == [201, 201, 409]
    assert send("GET", url)[1]["remaining_count"] == 0
    assert send("GET", "/readyz") == (200, {"status": "ok"})
    send("POST", f"{api}/articles", {"title": "x" * 66})
    send("PUT", f"{api}/articles")
    send("GET", "/nowhere")
    masked = re.sub(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", "<id>", repr(responses))
    masked = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", masked)
    masked = re.sub(r"after=[\w.-]+", "after=<cursor>", masked)
    return masked.replace("), (", "),\n(").splitlines()


@needs_two_layers
def test_demos_of_both_layers_respond_identically_and_clean_up(tmp_path: Path) -> None:
    responses = []
    for layer, stop in zip(LAYERS, (ServerProcess.interrupt, ServerProcess.terminate), strict=True):
        folder = tmp_path / layer
        folder.mkdir()
        with run_server(demo_command(layer), TEMPLATE, TMPDIR=str(folder)) as server:
            hints = read_hints(server)
            [api_key] = re.findall(r"^ +API_KEY=(ak_\S+)$", hints, re.MULTILINE)
            responses.append(exercise_api(server, api_key))
            run_documented_commands(server, hints, api_key, folder)
            assert server.socket_folder.exists()
            assert find_processes(folder)

            assert stop(server) == 0

        assert not find_processes(folder)
        assert not server.socket_folder.exists()
        # The outermost uv locks the environment of the template.
        assert [path.name for path in folder.iterdir() if not path.match("uv-*.lock")] == []

    assert responses[0] == responses[1]


@pytest.mark.parametrize("layer", LAYERS)
def test_data_survives_killing_all_processes(layer: str, bake: Bake) -> None:
    project = bake(database_layer=layer, auth=False)
    install(project)
    article = {"title": "Kept", "slug": "kept", "text": "Some text."}
    with run_server(["make", "run"], project.path) as server:
        assert server.request("POST", "/api/v1/articles", article)[0] == 201
        for process in find_processes(project.path):
            # Killing one may end another.
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
    assert not remaining_processes(project.path)

    with run_server(["make", "run"], project.path) as server:
        [kept] = server.request("GET", "/api/v1/articles")[1]

    assert kept["slug"] == "kept"


def test_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        done = subprocess.run(
            demo_command(LAYERS[0]),
            cwd=TEMPLATE,
            env=clean_environment({"PORT": port}),
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_module_that_cannot_be_imported_ends_make_run(bake: Bake) -> None:
    project = bake()
    (project.path / "app" / "main.py").write_text("import nothing_of_this_name\n", "utf-8")
    install(project)

    started = time.monotonic()
    done = project.try_to_run(
        *("uv", "run", "python", "-m", "dev.serve"), variables={"PORT": str(free_port())}
    )

    assert done.returncode == 1
    assert done.stdout.endswith("The service did not start, see above.\n")
    assert time.monotonic() - started < 45
    assert not remaining_processes(project.path)


def test_service_restarts_when_a_file_changes(bake: Bake) -> None:
    project = bake()
    install(project)
    health = project.path / "app" / "api" / "routes" / "health.py"
    source = health.read_text("utf-8")
    with run_server(["make", "run"], project.path) as server:
        health.write_text("a mistake\n", "utf-8")
        # Longer than the service takes to end.
        time.sleep(3)
        health.write_text(source.replace("/livez", "/alive"), "utf-8")
        # The socket is open throughout: this request waits for the new process.
        assert server.request("GET", "/alive")[0] == 200


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT that a shell can ignore")
def test_interrupt_stops_server_that_a_shell_started_in_the_background(bake: Bake) -> None:
    project = bake(example=False, auth=False)
    install(project)
    # As a shell does for background jobs, and CI systems for some steps.
    command = ["sh", "-c", "trap '' INT; exec uv run python -m dev.serve"]
    with run_server(command, project.path) as server:
        assert server.interrupt() == 0

    assert not remaining_processes(project.path)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root runs the server as another user"
)
def test_root_can_install_with_strict_umask(bake: Bake) -> None:
    project = bake(example=False, auth=False)

    project.run("sh", "-c", "umask 077 && uv sync --quiet")

    project.run("uv", "run", "pytest", "tests/test_database_safety.py")
