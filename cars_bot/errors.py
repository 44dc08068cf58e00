"""Errors by what they mean for a run, not by the library that raised them.

    CarsBotError
    ├── Retryable            may pass if tried again: a 5xx, a refused connection, a locked database
    │   ├── StorageUnavailable   the database does not answer, is locked or full
    │   └── Throttled        told to wait: try again after `retry_after` seconds; does not use up an attempt
    │       └── OverBudget   told so by our own budget for a service, not by the service
    ├── Permanent            will never succeed with these arguments: retrying would only repeat it
    │   ├── InvalidArguments the job exists, its arguments do not fit it
    │   └── Unstorable       the database refuses a value for good: too long, out of range, not JSON
    ├── OutcomeUnknown       the call was made and its reply was lost: the effect may or may not have happened
    ├── NotConfigured        a setting is missing or contradicts another; the message says which and what to do
    ├── UnknownJob           no job of that name in the catalogue
    └── TimeLimitExceeded    the soft time limit of the job's policy was reached

All of them survive pickling (each is rebuilt from its constructor arguments), so they may cross process boundaries.
"""


class CarsBotError(Exception):
    """Base of every error this project raises on purpose."""


class Retryable(CarsBotError):
    """The attempt failed in a way that may pass."""


class StorageUnavailable(Retryable):
    """The database could not be read or written just now; nothing was committed."""


class Throttled(Retryable):
    """The other side asked us to come back later.

    Args:
        message: what was refused.
        retry_after: seconds to wait before the next try.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message, retry_after)
        self.message = message
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} (retry after {self.retry_after:.1f} s)"


class OverBudget(Throttled):
    """Our own budget for a service is used up; a place in it will be free later."""


class Permanent(CarsBotError):
    """The attempt failed and every further one would fail the same way."""


class InvalidArguments(Permanent):
    """The arguments do not fit the job's signature; the message names each one that is wrong."""


class Unstorable(Permanent):
    """The database will never take this value; the message names its column where that can be told."""


class OutcomeUnknown(CarsBotError):
    """The request left us and no answer came back; the effect may have happened."""


class NotConfigured(CarsBotError):
    """A setting is missing or wrong; the message says which one and how to set it."""


class UnknownJob(CarsBotError):
    """No job of that name stands in the catalogue."""


class TimeLimitExceeded(CarsBotError):
    """A job ran longer than its soft time limit and was interrupted."""
