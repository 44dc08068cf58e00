"""The fault switchboard: which of the coming requests go wrong, and how. Pure decisions; `sabotage.py` acts on them.

throttle    429 with Retry-After, in the service's own shape
error       500, in the service's own shape
garbage     200 with a body that is not JSON
nonsense    openai only: a proper envelope whose content breaks the asked schema
hang        no answer for `seconds`, then the connection is closed
drip        the act is done, its reply trickles out over `seconds`
cut         the connection is closed at once, nothing is done
lose_reply  the act is done, then the connection is closed
huge        200 with a body of `megabytes`
answer      `status`, `headers` and `body` just as given; with `act` the act is done first: a proxy that lost the reply
"""

import random
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Service = Literal["openai", "telegram", "google"]
Kind = Literal["throttle", "error", "garbage", "nonsense", "hang", "drip", "cut", "lose_reply", "huge", "answer"]

# Google's client library repeats a failed token request by itself, which would swallow the fault: unless asked
# for by name, a fault at Google meets calls to Sheets only.
DEFAULT_ONLY = {"openai": "/chat/", "telegram": "", "google": "/v4/"}


class Fault(BaseModel):
    """One order to the switchboard: the next N matching requests, or a share of all of them until cleared."""

    model_config = ConfigDict(extra="forbid")

    service: Service
    fault: Kind
    next: int | None = Field(default=None, ge=1, le=1_000_000, description="this many requests, then it is spent")
    share: float | None = Field(default=None, gt=0, le=1, description="this share of requests, until cleared")
    only: str | None = Field(default=None, description="only requests whose path contains this text")
    retry_after: int = Field(default=1, ge=0, le=3600, description="seconds, for throttle")
    seconds: float = Field(default=30, ge=0, le=3600, description="for hang and drip")
    megabytes: int = Field(default=64, ge=1, le=1024, description="for huge")
    act: bool = Field(default=False, description="for answer: whether the act is done")
    status: int = Field(default=200, ge=200, le=599, description="for answer")
    headers: dict[str, str] = Field(default={}, description="for answer")
    body: Any = Field(default="", description="for answer: a text as it is, anything else as JSON")

    @model_validator(mode="after")
    def _say_how_often(self) -> Self:
        if self.next is not None and self.share is not None:
            raise ValueError("give either next (a number of requests) or share (0..1), not both")
        if self.next is None and self.share is None:
            self.next = 1
        if self.fault == "nonsense" and self.service != "openai":
            raise ValueError("nonsense is a fault of openai only")
        if self.only is None:
            self.only = DEFAULT_ONLY[self.service]
        return self

    def concerns(self, service: str, path: str) -> bool:
        """Whether a request to `path` of `service` may be met by this fault."""
        return service == self.service and (self.only or "") in path


@dataclass
class Switchboard:
    """The faults in force, oldest first. `chance` is passed in so that a test can decide it."""

    chance: random.Random = field(default_factory=random.Random)
    faults: list[Fault] = field(default_factory=list)

    def order(self, fault: Fault) -> None:
        """Put one more fault in force."""
        self.faults.append(fault)

    def clear(self, service: str | None = None) -> None:
        """Lift the faults of one service, or all of them."""
        self.faults = [fault for fault in self.faults if service is not None and fault.service != service]

    def draw(self, service: str, path: str) -> Fault | None:
        """Decide the fate of one request: the first fault that meets it, or None. Uses up one of `next`."""
        for fault in self.faults:
            if not fault.concerns(service, path):
                continue
            if fault.next is None:
                if self.chance.random() < (fault.share or 0):
                    return fault
                continue
            fault.next -= 1
            if fault.next == 0:
                self.faults.remove(fault)
            return fault
        return None
