"""The line behind `make run`: database, migrations and the service, until Ctrl-C or SIGTERM."""

import signal
import sys

_SIGNALS = [signal.SIGINT, signal.SIGTERM]
# What a terminal sends when it is closed, unless `nohup` says to go on.
if hasattr(signal, "SIGBREAK"):
    _SIGNALS.append(signal.SIGBREAK)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
    _SIGNALS.append(signal.SIGHUP)


def main() -> int:
    """Serve until told to stop, and return the exit status."""
    received: list[int] = []
    # Only remembered: raised just anywhere, a signal could lose a process that has just started.
    # Not in a threading.Event, whose lock a second signal would wait for in vain.
    for number in _SIGNALS:
        signal.signal(number, lambda number, _: received.append(number))

    def checkpoint() -> None:
        if received:
            raise KeyboardInterrupt

    # Only now, since a signal may come while they are loaded.
    from dev import DevelopmentError
    from dev.runner import run

    try:
        run(checkpoint)
    except DevelopmentError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    finally:
        # Everything has stopped: one more signal is no reason to end otherwise.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
