"""The fault switchboard: it decides which of the next requests go wrong, and how.

    throttle    429 with Retry-After, in the service's own shape
    error       500, in the service's own shape
    garbage     200 with a body that is not JSON
    nonsense    openai only: a correct envelope, but its content breaks the schema of the request
    hang        no answer for `seconds`; then the connection is closed
    drip        the act is done; its reply arrives in small pieces over `seconds`
    cut         the connection is closed at once; the act is not done
    lose_reply  the act is done; then the connection is closed
    huge        200 with a body of `megabytes`; `packed`: as gzip, so about a thousandth of that on the network
    answer      `status`, `headers` and `body` as given; `act`: the act is done first, as by a proxy that loses replies

This module only decides; `sabotage.py` carries the decisions out.
"""

import random
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Service = Literal["openai", "telegram", "google"]
Kind = Literal["throttle", "error", "garbage", "nonsense", "hang", "drip", "cut", "lose_reply", "huge", "answer"]

# Google's client library repeats a failed token request by itself. That would hide the fault. So a fault at Google
# meets only calls to Sheets, unless `only` says otherwise.
DEFAULT_ONLY = {"openai": "/chat/", "telegram": "", "google": "/v4/"}


class Fault(BaseModel):
    """One order to the switchboard: a fault for the next N matching requests, or for a share of them until a clear."""

    model_config = ConfigDict(extra="forbid")

    service: Service
    fault: Kind
    next: int | None = Field(default=None, ge=1, le=1_000_000, description="this many requests, then it is over")
    share: float | None = Field(default=None, gt=0, le=1, description="this share of requests, until a clear")
    only: str | None = Field(default=None, description="it meets only requests whose path contains this text")
    sender: str | None = Field(default=None, description="it meets only requests whose X-Sender header is this")
    ordered_by: str = Field(default="", description="who orders it; a clear can name it")
    retry_after: int = Field(default=1, ge=0, le=3600, description="seconds, for throttle")
    seconds: float = Field(default=30, ge=0, le=3600, description="for hang and drip")
    megabytes: int = Field(default=64, ge=1, le=1024, description="for huge")
    packed: bool = Field(default=False, description="for huge and answer: compressed with gzip")
    act: bool = Field(default=False, description="for answer: do the act first")
    status: int = Field(default=200, ge=200, le=599, description="for answer")
    headers: dict[str, str] = Field(default={}, description="for answer")
    body: Any = Field(default="", description="for answer: a text is sent as it is, any other value as JSON")

    @model_validator(mode="after")
    def _say_how_often(self) -> Self:
        if self.next is not None and self.share is not None:
            raise ValueError("next and share exclude each other; give next (a number of requests) or share (0..1)")
        if self.next is None and self.share is None:
            self.next = 1
        if self.fault == "nonsense" and self.service != "openai":
            raise ValueError("nonsense exists only for openai, which answers by a schema; choose another fault")
        if self.only is None:
            self.only = DEFAULT_ONLY[self.service]
        return self

    def concerns(self, service: str, path: str, sender: str | None) -> bool:
        """Return whether this fault may meet a request of `sender` to `path` of `service`."""
        return service == self.service and (self.only or "") in path and self.sender in (None, sender)


@dataclass
class Switchboard:
    """The faults in force, oldest first. A test passes its own `chance` and so decides the draws."""

    chance: random.Random = field(default_factory=random.Random)
    faults: list[Fault] = field(default_factory=list)

    def order(self, fault: Fault) -> None:
        """Add a fault."""
        self.faults.append(fault)

    def clear(self, service: str | None = None, ordered_by: str | None = None) -> None:
        """Lift the faults of one service, of one who ordered them, or all of them."""
        self.faults = [
            fault
            for fault in self.faults
            if service not in (None, fault.service) or ordered_by not in (None, fault.ordered_by)
        ]

    def draw(self, service: str, path: str, sender: str | None = None) -> Fault | None:
        """Return the first fault that meets this request, or None. Count the request off `next`."""
        for fault in self.faults:
            if not fault.concerns(service, path, sender):
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
