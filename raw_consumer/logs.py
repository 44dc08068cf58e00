"""Log lines that can be searched by run: one line per event, key=value, parent and children alike."""

import json
import logging
import time

current_run = ""
"""The run in hand, in a child; whatever is logged meanwhile, by whatever library, carries it."""


# feature: structured logs with the run id
class KeyValueFormatter(logging.Formatter):
    """`time=… level=… worker=… run=… logger=… message="…"`; a traceback follows on lines of its own."""

    def __init__(self, worker: str) -> None:
        super().__init__()
        self.worker = worker

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        run = f" run={current_run}" if current_run else ""
        message = json.dumps(record.getMessage(), ensure_ascii=False)
        line = f"time={at}.{record.msecs:03.0f}Z level={record.levelname} worker={self.worker}{run} logger={record.name} message={message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


# end


def set_up(worker: str, level: str) -> None:
    """Log to standard error as `worker`, from `level` on. Called once per process, again after a fork."""
    handler = logging.StreamHandler()
    handler.setFormatter(KeyValueFormatter(worker))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # what matters of it is raised, and logged by us
