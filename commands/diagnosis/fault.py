"""What `kit doctor` says of one thing that is wrong."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What is wrong and what to type. A `note` is worth knowing and needs nothing done."""

    what: str
    remedy: str
    note: bool = False
