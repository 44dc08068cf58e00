"""The form that all twenty experiments share, and their repetition."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType

from experiments.evidence import Note
from experiments.ground import Ground

HERE = Path(__file__).resolve().parent
Counts = dict[str, float]


@dataclass(frozen=True)
class Result:
    """What came of one example, once."""

    counts: Counts
    failed: bool
    verdict: str
    seconds: float
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class Antipattern:
    """A folder: its number, its name, and the experiment that both its examples go through."""

    number: int
    folder: Path
    module: ModuleType

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.module.NAME)

    @property
    def package(self) -> str:
        """The folder as a package: antipatterns.ap03_exactly_once."""
        return f"antipatterns.{self.folder.name}"

    @property
    def brokers(self) -> tuple[str, ...]:
        """Where it can be run; the first is the one it is about."""
        return tuple(self.module.BROKERS)

    def try_out(self, servers: Ground, example: str, broker: str = "") -> Result:
        """Put `example` ("broken" or "fixed") through the experiment."""
        with servers.stage(f"ap{self.number:02}", broker or self.brokers[0]) as stage:
            began = time.monotonic()
            counts = self.module.run(stage, f"{self.package}.{example}")
            seconds = time.monotonic() - began
            return Result(counts, self.module.failed(counts), self.module.verdict(counts), seconds, stage.notes())


def all_of_them() -> Iterator[Antipattern]:
    """By number."""
    for folder in sorted(HERE.glob("ap[0-9][0-9]_*")):
        yield Antipattern(int(folder.name[2:4]), folder, import_module(f"antipatterns.{folder.name}.experiment"))


def interval(shown: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % confidence interval of a share: Wilson's, which holds for few tries and for 0 and 1.

    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927), 209-212.
    """
    share, square = shown / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def antipattern(number: int) -> Antipattern:
    """The one with that number.

    Raises:
        KeyError: there is none.
    """
    return {each.number: each for each in all_of_them()}[number]
