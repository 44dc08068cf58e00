"""The state of the outside world: one object with the faults, the chats, the spreadsheets and the counters.

It only holds the parts together. Each part has its rules in its own module.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from outside_world.faults import Switchboard
from outside_world.google.drive import Drive
from outside_world.telegram.chats import Chats


@dataclass
class World:
    """Everything that the stand-ins remember. `counters`: service -> event -> number of times."""

    switchboard: Switchboard = field(default_factory=Switchboard)
    chats: Chats = field(default_factory=Chats)
    drive: Drive = field(default_factory=Drive)
    counters: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def count(self, service: str, what: str) -> None:
        """Count one more event `what` at `service`."""
        self.counters[service][what] += 1

    def reset(self) -> None:
        """Forget everything, also the faults. Google tokens that were issued stay valid."""
        self.switchboard.clear()
        self.chats = Chats()
        self.drive.forget_spreadsheets()
        self.counters.clear()
