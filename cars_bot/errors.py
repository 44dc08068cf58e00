"""Errors, sorted by their meaning for a run and not by the library that raised them.

    CarsBotError
    ├── Retryable            may pass if tried again: a 5xx, a refused connection, a locked database
    │   ├── StorageUnavailable   the database does not answer, is locked or full
    │   └── Throttled        told to wait: try again after `retry_after` seconds; does not use up an attempt
    │       └── OverBudget   our own budget for a service says so, not the service
    ├── Permanent            will never succeed with these arguments: a retry would only repeat it
    │   ├── InvalidArguments the job exists, but its arguments do not fit it
    │   └── Unstorable       the database refuses a value for good: too long, out of range, not JSON
    ├── OutcomeUnknown       the call was made and its reply was lost: the effect may or may not have happened
    ├── NotConfigured        a setting is missing or contradicts another; the message says which and what to do
    ├── UnknownJob           no job of that name in the catalogue
    └── TimeLimitExceeded    the soft time limit of the job's policy was reached

All of them can be pickled: Python builds each again from its constructor arguments. So they may cross process borders.
"""


class CarsBotError(Exception):
    """Base of every error this project raises on purpose."""


class Retryable(CarsBotError):
    """The attempt failed for a reason that may pass."""


class StorageUnavailable(Retryable):
    """The database could not be read or written just now; nothing was committed."""


class Throttled(Retryable):
    """The other side told us to wait and to try again later.

    Args:
        message: the refused request.
        retry_after: seconds to wait before the next try.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message, retry_after)
        self.message = message
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} (retry after {self.retry_after:.1f} s)"


class OverBudget(Throttled):
    """Our own budget for a service is used up. A place in it will be free later."""


class Permanent(CarsBotError):
    """The attempt failed, and each further attempt would fail in the same way."""


class InvalidArguments(Permanent):
    """The arguments do not fit the job's signature. The message names each wrong one."""


class Unstorable(Permanent):
    """The database will never take this value. The message names its column if the column is known."""


class OutcomeUnknown(CarsBotError):
    """We sent the request, and no answer came back. The effect may have happened or not."""


class NotConfigured(CarsBotError):
    """A setting is missing or wrong. The message names it and says how to set it."""


class UnknownJob(CarsBotError):
    """The catalogue has no job of that name."""


class TimeLimitExceeded(CarsBotError):
    """A job ran longer than its soft time limit and was interrupted."""
