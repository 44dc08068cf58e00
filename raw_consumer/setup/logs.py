"""Log lines with the id of the run: one line per event, key=value, the same for parent and children."""

import logging
import time

from cars_bot.boundary.log_lines import escaped, indented

current_run = ""
"""The run in hand, in a child. Each line that any library logs meanwhile carries it."""


# feature: structured logs with the run id
class KeyValueFormatter(logging.Formatter):
    """`time=… level=… worker=… run=… logger=… message="…"`; a traceback follows, indented."""

    def __init__(self, worker: str) -> None:
        super().__init__()
        self.worker = worker
        self.second, self.time = 0, ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        if int(record.created) != self.second:
            self.second = int(record.created)
            self.time = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        message = escaped(record.getMessage().strip()).replace('"', "'")
        line = (
            f"time={self.time}.{int(record.msecs):03d}Z level={record.levelname} worker={self.worker} "
            f'run={current_run or "-"} logger={record.name} message="{message}"'
        )
        return f"{line}\n{indented(self.formatException(record.exc_info))}" if record.exc_info else line


# end


def set_up(worker: str, level: str) -> None:
    """Log to standard error as `worker`, from `level` on. Called once per process, again after a fork."""
    handler = logging.StreamHandler()
    handler.setFormatter(KeyValueFormatter(worker))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # pika also raises these errors, and the kit logs them
