"""python -m bench.open_loop URL RATE SECONDS: submissions at a constant rate, even when the answers are slow.

A client that waits for each answer sends fewer requests to a slow server, and so hides that it is slow. Here each
request has its moment. Its latency counts from that moment, also while no connection is free. Prints JSON: p50, p95 and
p99 in milliseconds, and how many requests were sent and accepted.
"""

import asyncio
import json
import sys
import time
from collections import deque
from urllib.parse import urlsplit

import uvloop

CONNECTIONS = 64
BODY = b'{"job": "debug_task", "lane": "raw"}'


class Caller(asyncio.Protocol):
    """A connection with at most one request under way."""

    def __init__(self, load: "Load") -> None:
        self.load, self.due, self.got = load, 0.0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the free connections."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.load.free.append(self)

    def send(self, due: float) -> None:
        """Send a request whose moment was `due`."""
        self.due, self.got = due, b""
        self.transport.write(self.load.request)

    def data_received(self, data: bytes) -> None:
        """Collect an answer, and report it when it is complete."""
        self.got += data
        head, found, body = self.got.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            self.load.answered(self, head.startswith(b"HTTP/1.1 202"))


class Load:
    """Load of `rate` requests a second for `seconds`."""

    def __init__(self, url: str, rate: float, seconds: float) -> None:
        self.address = urlsplit(url)
        self.rate, self.count = rate, int(rate * seconds)
        self.request = (
            f"POST /api/runs HTTP/1.1\r\nHost: {self.address.netloc}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(BODY)}\r\n\r\n"
        ).encode() + BODY
        self.free: deque[Caller] = deque()
        self.late: deque[float] = deque()  # moments for which no connection was free
        self.latencies: list[float] = []
        self.accepted = 0
        self.over = asyncio.Event()

    def answered(self, caller: Caller, accepted: bool) -> None:
        """Keep the latency of an answer. The connection takes the next late request, if there is one."""
        self.latencies.append(time.perf_counter() - caller.due)
        self.accepted += accepted
        if self.late:
            caller.send(self.late.popleft())
        else:
            self.free.append(caller)
        if len(self.latencies) == self.count:
            self.over.set()

    async def run(self) -> dict[str, float]:
        """Send all requests, wait for the answers, and return the figures."""
        loop, host, port = asyncio.get_running_loop(), self.address.hostname or "", self.address.port or 80
        for _ in range(CONNECTIONS):
            await loop.create_connection(lambda: Caller(self), host, port)
        began = time.perf_counter()
        for number in range(self.count):
            due = began + number / self.rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            if self.free:
                self.free.popleft().send(due)
            else:
                self.late.append(due)
        await asyncio.wait_for(self.over.wait(), 60)
        ordered = sorted(self.latencies)
        figures = {f"p{part}": ordered[int(len(ordered) * part / 100)] * 1000 for part in (50, 95, 99)}
        return {**figures, "accepted": self.accepted, "asked": self.count}


async def main() -> None:
    """Read the arguments, send the load, and print the figures."""
    url, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(await Load(url, rate, seconds).run()))


if __name__ == "__main__":
    uvloop.run(main())
