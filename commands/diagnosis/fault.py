"""A fault: one finding of `kit doctor`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and the command to type. A `note` is worth knowing and needs no action."""

    what: str
    remedy: str
    note: bool = False
