"""The ground, for a command: with a line that says what is being waited for, and a problem that says what to do."""

import errno
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from commands.common.console import Problem, Progress
from experiments.ground import Ground, NoGround, ground

NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextmanager
def started() -> Iterator[Ground]:
    """The servers.

    Raises:
        Problem: they cannot be started.
        KeyboardInterrupt: Ctrl-C or SIGTERM, see `ground`.
    """
    with ExitStack() as stack:
        try:
            with Progress("RabbitMQ, Redis and a messenger of its own"):
                servers = stack.enter_context(ground())
        except NoGround as error:
            detail = str(error).rpartition("kit: ")[2]  # without what was said before
            raise Problem(
                "the servers could not be started: experiments and labs run on a RabbitMQ and a Redis of their own",
                "./kit doctor", detail=detail,
            ) from error  # fmt: skip
        try:
            yield servers
        except OSError as error:
            if error.errno not in NO_PLACE:
                raise
            what = f"{error.filename or servers.folder} cannot be written to: {error.strerror}"
            raise Problem(what, f"df {servers.folder}   or set TMPDIR to another folder") from error
