"""Ground: the servers that experiments share. Each experiment has its own stage on them, cleared when it ends.

In use:

    with ground() as servers:                       a private RabbitMQ, Redis and outside world
        with servers.stage("ap03") as stage:        a vhost, an empty Redis database, an evidence file, a channel
            worker = stage.celery("antipatterns.ap03_exactly_once.broken")
            stage.send("charge", 7)
            stage.until(lambda: stage.count("charged"), "it is charged")
            worker.kill()
"""

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from dotenv import dotenv_values

from commands.common.state import TEMPORARY
from commands.servers.warden import Warden
from experiments.processes import ROOT
from experiments.servers import Servers
from experiments.stage import Stage

REDIS_DATABASES = range(1, 16)  # each stage has one of its own, empty at the start
# Settings of a developer's shell or `.env`; they must not reach an experiment.
FOREIGN = ("DATABASE_URL", "RMQ_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "REDIS_URL", "OUTSIDE_WORLD_URL",
           "PYTHONUNBUFFERED")  # fmt: skip


class NoGround(Exception):
    """The servers could not be started; the message is the output of `kit up`."""


class Ground(Servers):
    """Servers, and stages on them."""

    def __init__(
        self, folder: Path, environment: dict[str, str], values: dict[str, str], broker: str = "rabbitmq"
    ) -> None:
        super().__init__(folder, environment, values)
        self.has_rabbitmq = broker == "rabbitmq"
        self._databases = itertools.cycle(REDIS_DATABASES)

    @contextmanager
    def stage(self, name: str, broker: str = "rabbitmq") -> Iterator[Stage]:
        """Make a stage for one experiment. When the block ends, kill every process that the experiment started."""
        vhost = f"{name}-{uuid.uuid4().hex[:8]}"
        if self.has_rabbitmq:
            self.add(vhost)
        stage = Stage(self, vhost, broker, next(self._databases))
        try:
            yield stage
        finally:
            stage.clear()
            if self.has_rabbitmq:
                self.delete(vhost)


@contextmanager
def ground(broker: str = "rabbitmq") -> Iterator[Ground]:
    """Start the servers, and stop them when the block ends.

    Args:
        broker: "rabbitmq"; or "redis" for experiments that need no RabbitMQ, which takes seconds to start.

    Raises:
        NoGround: they could not be started.
        KeyboardInterrupt: Ctrl-C, SIGTERM or a closed terminal. Once the servers are up, only `Ground.rest` and the
            block's end raise it. Elsewhere it could interrupt a client that talks to its broker. Such a client waits
            for ever to close its connection, or reports a broken connection instead.
    """
    folder = temporary_folder()
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment |= {"KIT_RUN_DIR": str(folder / "run"), "PYTHONPATH": str(ROOT), "KIT_BROKER_TAG": "administrator"}
    warden = Warden(f"KIT_RUN_DIR={environment['KIT_RUN_DIR']}", folder)
    with on_interrupt(signal.default_int_handler):
        try:
            up = [sys.executable, "-m", "commands", "up", "--private", *sorted({"redis", broker}), "outside_world"]
            started = subprocess.run(up, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
            if started.returncode:
                raise NoGround(started.stderr.strip())
            values = {name: str(value) for name, value in dotenv_values(folder / "run" / "kit.env").items()}
            servers = Ground(folder, environment, values, broker)
            with on_interrupt(servers.interrupt):
                yield servers
                servers.rest(0)
        finally:
            with on_interrupt(signal.SIG_IGN):  # a second Ctrl-C must not leave servers behind
                warden.end()


def temporary_folder() -> Path:
    """Make a new temporary folder.

    Raises:
        NoGround: there is no space, or no permission.
    """
    try:
        return Path(tempfile.mkdtemp(prefix=TEMPORARY)).resolve()
    except OSError as error:
        raise NoGround(f"no temporary folder could be made: {error.strerror}; set TMPDIR to another folder") from error


@contextmanager
def on_interrupt(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> Iterator[None]:
    """Handle Ctrl-C, SIGTERM and a closed terminal with `handler` in the block. Under nohup the last stays ignored."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN or handler == signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
