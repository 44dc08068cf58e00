"""What an answer that is no success means for a run: one table for all three services.

    status                   the request was          becomes
    429                      not carried out          Throttled, with a wait that has a range
    408, 425, 1xx 3xx 5xx    nobody says              `lost`: Retryable if asking again is harmless, else OutcomeUnknown
    any other 4xx            refused                  Permanent; Retryable if the service means "not now" by it

A proxy can deliver a message, lose the reply and answer 502 or 504 in its own name. So only a 4xx says "not done", and
nothing depends on whose words the body holds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cars_bot import outside
from cars_bot.errors import CarsBotError, OutcomeUnknown, Permanent, Retryable, Throttled

TOO_MANY = 429
SAYS_NOTHING = (408, 425)  # of the 4xx: a timeout on the way; sent too early


@dataclass(frozen=True)
class Service:
    """One of those we call.

    Attributes:
        name: for errors.
        throttled_seconds: the wait when it does not say how long.
        passing: statuses of 4xx after which the same request may succeed.
    """

    name: str
    throttled_seconds: float
    passing: Collection[int] = ()


def meaning(
    service: Service,
    status: int,
    headers: Mapping[str, str],
    said: Any = None,
    wait: Any = None,
    lost: type[Retryable | OutcomeUnknown] = OutcomeUnknown,
) -> CarsBotError:
    """Return the error that an answer without success amounts to.

    Args:
        said: the reason that it gives, in its own words.
        wait: the seconds to wait, if the service has a place of its own for them.
        lost: the error if nobody knows what became of the request.
    """
    words = outside.clean(str(said)) if said else "and no reason"
    text = f"{service.name} answered {status}: {outside.shortened(words, 300)}"
    if status == TOO_MANY:
        told = outside.retry_after(headers, service.throttled_seconds)
        return Throttled(f"{service.name}: told to wait", outside.seconds(wait, told))
    if status in service.passing:
        return Retryable(text)
    if 400 <= status <= 499 and status not in SAYS_NOTHING:
        return Permanent(text)
    return lost(text)


def unreadable(service: Service, error: Exception, lost: type[Retryable | OutcomeUnknown]) -> CarsBotError:
    """Return the error for an answer in which the library, or we, did not find what belongs there."""
    return lost(f"{service.name}'s answer is unreadable: {outside.clean(f'{error!r:.200}')}")
