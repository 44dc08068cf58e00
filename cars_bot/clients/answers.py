"""What an answer's status says about the request, for every call that would do harm if it were made twice.

2xx                        done
4xx                        not done: the request was refused
408, 425, 499, 1xx, 3xx,   nobody says: a proxy may have delivered the request, lost the reply and answered in its
5xx                        own name, and its words look like the service's
"""

NO_REFUSAL = (408, 425, 499)  # of the 4xx: a timeout on the way, sent too early, the proxy's client has gone


def is_done(status: int) -> bool:
    """Whether the service carried the request out."""
    return 200 <= status <= 299


def is_refused(status: int) -> bool:
    """Whether the service did not carry the request out, and says so."""
    return 400 <= status <= 499 and status not in NO_REFUSAL
