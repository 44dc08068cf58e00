"""Servers that experiments share: their addresses, and requests that concern a whole server or vhost."""

import subprocess
import time
from pathlib import Path

import httpx
import redis


class Servers:
    """RabbitMQ, Redis and the outside world of one ground.

    Attributes:
        `folder`: the servers' files; the experiments' folders are in it.
        `environment`: the variables for processes that experiments start.
        `values`: the addresses, by their names in `kit.env`.
        `world`: an HTTP client for the outside world.
        `interrupted`: whether somebody wants everything to end.
    """

    def __init__(self, folder: Path, environment: dict[str, str], values: dict[str, str]) -> None:
        self.folder, self.environment, self.values = folder, environment, values
        self.interrupted = False
        self.world = httpx.Client(base_url=values["OUTSIDE_WORLD_URL"], timeout=30, trust_env=False)
        login = tuple(values["RMQ_URL"].removeprefix("amqp://").partition("@")[0].split(":", 1))
        self._management = httpx.Client(
            base_url=values["RMQ_MANAGEMENT_URL"], auth=(login[0], login[1]), timeout=30, trust_env=False
        )

    def interrupt(self, *_signal: object) -> None:
        """Note that somebody wants everything to end; the next `rest` then raises."""
        self.interrupted = True

    def rest(self, seconds: float) -> None:
        """Pause between two looks at something.

        Raises:
            KeyboardInterrupt: `interrupt` was called.
        """
        time.sleep(seconds)
        if self.interrupted:
            raise KeyboardInterrupt

    def versions(self) -> dict[str, str]:
        """Return the versions that the brokers report."""
        rabbitmq = self._management.get("/api/overview").raise_for_status().json()["rabbitmq_version"]
        with redis.Redis.from_url(self.values["REDIS_URL"], decode_responses=True) as client:
            return {"rabbitmq": str(rabbitmq), "redis": str(client.info("server")["redis_version"])}

    def unacknowledged(self, vhost: str) -> int:
        """Return how many messages of a vhost are out and not acknowledged. The management API counts too late."""
        tool = str(self.folder / "run" / "bin" / "rabbitmqctl")
        question = [tool, "-q", "list_queues", "--no-table-headers", "-p", vhost, "messages_unacknowledged"]
        return sum(map(int, subprocess.run(question, check=True, capture_output=True, text=True).stdout.split()))

    def add(self, vhost: str) -> None:
        """Make a vhost."""
        self._management.put(f"/api/vhosts/{vhost}").raise_for_status()

    def delete(self, vhost: str) -> None:
        """Delete a vhost and everything in it."""
        self._management.delete(f"/api/vhosts/{vhost}").raise_for_status()

    def trace(self, vhost: str) -> None:
        """Turn a vhost's firehose on."""
        self._management.put(f"/api/vhosts/{vhost}", json={"tracing": True}).raise_for_status()
