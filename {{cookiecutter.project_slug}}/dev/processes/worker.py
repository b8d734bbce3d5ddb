"""A worker that runs background jobs."""

from app.worker import main


def run() -> None:
    """Run jobs until SIGTERM. The probes listen on any free port."""
    main([])
