"""The state of the outside world: one object that holds what was asked, posted, written and sabotaged.

It only composes; each part keeps its own rules in its own module.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from outside_world.faults import Switchboard
from outside_world.sheets import Drive
from outside_world.telegram_chats import Chats


@dataclass
class World:
    """Everything the stand-ins remember. `counters` is service -> what -> how often."""

    switchboard: Switchboard = field(default_factory=Switchboard)
    chats: Chats = field(default_factory=Chats)
    drive: Drive = field(default_factory=Drive)
    counters: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def count(self, service: str, what: str) -> None:
        """Note that `what` happened once more at `service`."""
        self.counters[service][what] += 1

    def reset(self) -> None:
        """Forget everything, faults included; issued Google tokens stay valid."""
        self.switchboard.clear()
        self.chats = Chats()
        self.drive.forget_spreadsheets()
        self.counters.clear()
