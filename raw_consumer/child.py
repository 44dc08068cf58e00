"""A worker's child process, as its parent knows it."""

from dataclasses import dataclass
from typing import NamedTuple

from raw_consumer.limits import Slot


class InHand(NamedTuple):
    """What a child is doing: a run's id, when it began (monotonic seconds), its hard limit in seconds."""

    run_id: str
    began: float
    hard_limit: float


@dataclass
class Child:
    """A child process. `pid` is 0 while there is none."""

    name: str
    slot: Slot
    pid: int = 0
    born: float = 0.0
    not_before: float = 0.0

    def in_hand(self) -> InHand | None:
        """What it is doing. None: nothing, or it was changing jobs just now; it writes its slot while we read."""
        began, run_id, hard_limit = self.slot.began, self.slot.run_id, self.slot.hard_limit
        return InHand(run_id.decode(), began, hard_limit) if began and self.is_still_at(began) else None

    def is_still_at(self, began: float) -> bool:
        """Whether it has still the job in hand that began at that moment."""
        return self.slot.began == began
