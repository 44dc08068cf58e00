"""The ground for a command: a line says what the command waits for, and a problem says what to do."""

import errno
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from commands.common.console import Problem, Progress
from experiments.ground import Ground, NoGround, ground

NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextmanager
def started(broker: str = "rabbitmq") -> Iterator[Ground]:
    """Start the servers, and stop them when the block ends. On Redis there is no RabbitMQ.

    Raises:
        Problem: they cannot be started.
        KeyboardInterrupt: Ctrl-C or SIGTERM, see `ground`.
    """
    brokers = "RabbitMQ, Redis" if broker == "rabbitmq" else "Redis"
    with ExitStack() as stack:
        try:
            with Progress(f"{brokers} and a messenger of its own"):
                servers = stack.enter_context(ground(broker))
        except NoGround as error:
            detail = str(error).rpartition("kit: ")[2]  # without the lines before it
            raise Problem(
                "the servers could not be started: experiments and labs run on a RabbitMQ and a Redis of their own",
                "./kit doctor", detail=detail,
            ) from error  # fmt: skip
        try:
            yield servers
        except OSError as error:
            if error.errno not in NO_PLACE:
                raise
            what = f"cannot write to {error.filename or servers.folder}: {error.strerror}"
            raise Problem(what, f"df {servers.folder}   or set TMPDIR to another folder") from error
