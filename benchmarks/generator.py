"""Does what `load.lua` does for wrk, with geventhttpclient, where there is no wrk.

Runs on its own, in an environment that has this package.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from itertools import count

import gevent
from geventhttpclient import HTTPClient

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--clients", type=int, required=True)
PARSER.add_argument("--seconds", type=float, required=True)
PARSER.add_argument("address")
PARSER.add_argument("target")
PARSER.add_argument("method")
PARSER.add_argument("body")
PARSER.add_argument("prefix")
PARSER.add_argument("status", type=int, help="0: only errors are counted")
PARSER.add_argument("length", type=int)


def main() -> None:
    """Ask until the time is up, and say as JSON how it went."""
    asked = PARSER.parse_args()
    headers = {"Content-Type": "application/json"} if asked.body else {}
    latencies: list[float] = []
    errors = 0

    def bodies() -> Iterator[bytes]:
        for number in count():
            yield asked.body.replace("UNIQUE", f"{asked.prefix}{number:08d}").encode()

    def is_wrong(status: int, content: bytes) -> bool:
        if not asked.status:
            return status >= 400
        lengths = (asked.length, asked.length - len(".000000"))
        return status != asked.status or len(content) not in lengths

    def ask() -> None:
        nonlocal errors
        client = HTTPClient.from_url(asked.address, concurrency=1)
        while (sent := time.perf_counter()) < end:
            response = client.request(asked.method, asked.target, next(body), headers)
            errors += is_wrong(response.status_code, response.read())
            latencies.append(time.perf_counter() - sent)

    body = bodies()
    started = time.perf_counter()
    end = started + asked.seconds
    gevent.joinall([gevent.spawn(ask) for _ in range(asked.clients)], raise_error=True)
    seconds = time.perf_counter() - started
    # 99 places that cut the latencies into 100 parts.
    places = [place * 1000 for place in statistics.quantiles(latencies, n=100)]
    summary = {"requests": len(latencies), "errors": errors, "seconds": seconds}
    percentiles = {f"p{percent}_ms": places[percent - 1] for percent in (50, 95, 99)}
    print(json.dumps(summary | percentiles))


if __name__ == "__main__":
    main()
