"""The worker in the compose file and in the Kubernetes manifests."""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import yaml
from conftest import Bake
from test_deployment import probes, read_manifest


def test_worker_gets_no_requests_and_its_probes_use_its_port(bake: Bake) -> None:
    project = bake(kubernetes=True, jobs=True)
    worker = read_manifest(project, "worker")["spec"]
    selector = read_manifest(project, "service")["spec"]["selector"]
    pod = worker["template"]
    [container] = pod["spec"]["containers"]
    [port] = container["ports"]

    assert pod["metadata"]["labels"] == worker["selector"]["matchLabels"]
    assert not selector.items() <= pod["metadata"]["labels"].items()
    assert container["command"][-2:] == ["--port", str(port["containerPort"])]
    assert {probe["httpGet"]["port"] for *_, probe in probes(project, "worker")} == {port["name"]}


@pytest.mark.parametrize("status", [200, 503])
def test_health_check_of_compose_uses_the_port_of_the_worker(bake: Bake, status: int) -> None:
    services = yaml.safe_load(bake(jobs=True).read("compose.yaml"))["services"]
    worker, service = services["worker"], services["service"]
    port = worker["command"][-1]
    interpreter, option, program = worker["healthcheck"]["test"][1:]
    assert (interpreter, option) == ("python", "-c")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.handle_request).start()
        program = program.replace(port, str(server.server_port))
        done = subprocess.run([sys.executable, "-c", program], check=False)

    assert done.returncode == (0 if status == 200 else 1)
    for name in ("image", "environment", "depends_on", "stop_grace_period"):
        assert worker[name] == service[name]
