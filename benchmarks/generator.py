"""Load generator for machines without wrk; equivalent to `load.lua`, with geventhttpclient.

Runs as a script in a virtual environment that has this package.
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
PARSER.add_argument("base_url")
PARSER.add_argument("target", help="path and query")
PARSER.add_argument("method")
PARSER.add_argument("body", help="UNIQUE in it is replaced by a different value in each request")
PARSER.add_argument("prefix", help="prefix of the unique values")
PARSER.add_argument("status", type=int, help="expected status; 0 accepts all below 400")
PARSER.add_argument("length", type=int, help="expected length of the response body")


def main() -> None:
    """Send requests until the time is up, and print the result as JSON."""
    options = PARSER.parse_args()
    headers = {"Content-Type": "application/json"} if options.body else {}
    latencies: list[float] = []
    errors = 0

    def unique_bodies() -> Iterator[bytes]:
        for number in count():
            yield options.body.replace("UNIQUE", f"{options.prefix}{number:08d}").encode()

    def is_error(status: int, content: bytes) -> bool:
        if not options.status:
            return status >= 400
        # A timestamp without microseconds, one in a million, makes the body shorter.
        lengths = (options.length, options.length - len(".000000"))
        return status != options.status or len(content) not in lengths

    def run_client() -> None:
        nonlocal errors
        client = HTTPClient.from_url(options.base_url, concurrency=1)
        while (sent := time.perf_counter()) < end:
            response = client.request(options.method, options.target, next(bodies), headers)
            errors += is_error(response.status_code, response.read())
            latencies.append(time.perf_counter() - sent)

    bodies = unique_bodies()
    started = time.perf_counter()
    end = started + options.seconds
    gevent.joinall([gevent.spawn(run_client) for _ in range(options.clients)], raise_error=True)
    seconds = time.perf_counter() - started
    # 99 cut points: the percentiles 1 to 99.
    percentiles = [point * 1000 for point in statistics.quantiles(latencies, n=100)]
    summary = {"requests": len(latencies), "errors": errors, "seconds": seconds}
    latency = {f"p{percent}_ms": percentiles[percent - 1] for percent in (50, 95, 99)}
    print(json.dumps(summary | latency))


if __name__ == "__main__":
    main()
