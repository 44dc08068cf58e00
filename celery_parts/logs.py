"""Log lines of the Celery lane: one line for each event, with the id of its run."""

import copy
import logging
from typing import Any

from celery.app.log import TaskFormatter
from celery.signals import after_setup_logger

from cars_bot.boundary.log_lines import escaped, indented

# feature: structured logs with the run id
LOG_FORMAT = 'time=%(asctime)s level=%(levelname)s run=%(task_id)s logger=%(name)s message="%(message)s"'


class OneLineFormatter(TaskFormatter):
    """Makes one line of each event. No job's text can end a line or begin one. A traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        record = copy.copy(record)  # another handler may need it unchanged
        record.msg, record.args = escaped(record.getMessage()).replace('"', "'"), ()
        return str(super().format(record))

    def formatException(self, ei: Any) -> str:
        """Return the traceback, indented. So none of its lines looks like a line of the log."""
        return indented(super().formatException(ei))


@after_setup_logger.connect
def name_the_run(logger: logging.Logger, **_: object) -> None:
    """Put the id of the running task into each log line. It is the run's id."""
    for handler in logger.handlers:
        handler.setFormatter(OneLineFormatter(LOG_FORMAT, use_color=False))


# end
