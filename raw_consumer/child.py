"""Child: a child process of a worker, as its parent knows it."""

from dataclasses import dataclass
from typing import NamedTuple

from raw_consumer.shared_slot import Slot


class InHand(NamedTuple):
    """The job in a child's hands: the run's id, its start (monotonic seconds), its hard limit (seconds)."""

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
        """The job in hand. None: it is idle, or it is changing jobs. It writes its slot while the parent reads."""
        began, run_id, hard_limit = self.slot.began, self.slot.run_id, self.slot.hard_limit
        return InHand(run_id.decode(), began, hard_limit) if began and self.is_still_at(began) else None

    def is_still_at(self, began: float) -> bool:
        """True while the job in hand is the one that began at that moment."""
        return self.slot.began == began
