"""Answers: the meaning of an answer's status for the request. Needed where a second call would do harm.

    2xx                            done
    4xx                            not done: the request was refused
    408, 425, 499, 1xx, 3xx, 5xx   unknown

The outcome is unknown because a proxy may have delivered the request, lost the reply and answered in its own name. Its
words look like the service's.
"""

NO_REFUSAL = (408, 425, 499)  # 4xx without a refusal: timeout on the way, sent too early, client of the proxy is gone


def is_done(status: int) -> bool:
    """Return whether the service carried the request out."""
    return 200 <= status <= 299


def is_refused(status: int) -> bool:
    """Return whether the service says that it did not carry the request out."""
    return 400 <= status <= 499 and status not in NO_REFUSAL
