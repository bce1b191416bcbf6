"""A load client: so many callers at once, each with its own connection, for so many seconds.

It is a process of its own (`python -m benchmarks.load`), so that it takes no time from the server's interpreter. A
caller is a thread with the standard library's client and requests that were written out before the clock starts; the
time that the process was at work is told too, which shows whether it, not the server, was the limit.
"""

import http.client
import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Exchange:
    """A request, and the predictions that batch scoring has for it."""

    body: bytes
    expected: Sequence[float]


@dataclass
class Tally:
    """What one caller met."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0
    wrong: int = 0


@dataclass(frozen=True)
class Load:
    """What all callers met together.

    Attributes:
        callers: how many at once.
        rows: in a request.
        requests: how many were answered, errors among them.
        per_second: requests a second.
        p50_ms: half of the answers took no longer.
        p99_ms: 99 of a hundred answers took no longer.
        errors: answers that were none.
        wrong: answers that differ from batch scoring's by more than `TOLERANCE`.
        client_share: of one core that the client itself took.
    """

    callers: int
    rows: int
    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    wrong: int
    client_share: float


def apply_load(url: str, exchanges: Sequence[Exchange], callers: int, seconds: float) -> Load:
    """Has the callers ask one after another, each beginning at another request."""
    tallies = [Tally() for _ in range(callers)]
    began, at_work = time.perf_counter(), time.process_time()
    threads = [
        threading.Thread(target=_call, args=(url, exchanges, place, began + seconds, tally))
        for place, tally in enumerate(tallies)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    times = np.array([second for tally in tallies for second in tally.seconds]) * 1000
    return Load(
        callers=callers,
        rows=len(exchanges[0].expected),
        requests=len(times),
        per_second=len(times) / took,
        p50_ms=float(np.percentile(times, 50)),
        p99_ms=float(np.percentile(times, 99)),
        errors=sum(tally.errors for tally in tallies),
        wrong=sum(tally.wrong for tally in tallies),
        client_share=(time.process_time() - at_work) / took,
    )


def _call(url: str, exchanges: Sequence[Exchange], place: int, end: float, tally: Tally) -> None:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    headers = {"Content-Type": "application/json"}
    for number in count(place):
        exchange = exchanges[number % len(exchanges)]
        began = time.perf_counter()
        if began >= end:
            break
        connection.request("POST", address.path, exchange.body, headers)
        answer = connection.getresponse()
        body = answer.read()
        tally.seconds.append(time.perf_counter() - began)
        if answer.status != http.HTTPStatus.OK:
            tally.errors += 1
        elif not _is_right(json.loads(body)["predictions"], exchange.expected):
            tally.wrong += 1
    connection.close()


def _is_right(found: Sequence[float], expected: Sequence[float]) -> bool:
    pairs = zip(found, expected, strict=False)
    return len(found) == len(expected) and all(abs(one - other) <= TOLERANCE for one, other in pairs)


def main(url: str, file: Path, callers: int, seconds: float) -> None:
    """Reads the exchanges from a file, applies the load, and prints what came of it as JSON."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    exchanges = [Exchange(json.dumps(body).encode(), expected) for body, expected in stored]
    print(json.dumps(asdict(apply_load(url, exchanges, callers, seconds))))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
