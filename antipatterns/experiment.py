"""The form that all twenty experiments share, and their repetition."""

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType

from experiments.evidence import Note
from experiments.ground import Ground
from experiments.stage import Stage

HERE = Path(__file__).resolve().parent
Counts = dict[str, float]
Due = dict[str, float | tuple[float, float]]  # each count; one that honestly varies: the least and the most
RESULTS = "ANTIPATTERN_RESULTS"  # in the environment: a folder where every result is written down


@dataclass(frozen=True)
class Result:
    """What came of one example, once.

    Attributes:
        differs: each count that is not as it is due, in words; also an example that failed and was to hold, or held
            and was to fail.
    """

    counts: Counts
    failed: bool
    differs: list[str]
    verdict: str
    seconds: float
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class Experiment:
    """A pair of examples and what both go through: the module `experiment` or `by_hand_experiment` of a folder."""

    folder: Path
    prefix: str  # "" on Celery, "by_hand_" on pika alone

    @property
    def module(self) -> ModuleType:
        """It has NAME, BROKERS (the first is the one it is about), DUE for each example, run, failed and verdict."""
        return import_module(f"antipatterns.{self.folder.name}.{self.prefix}experiment")

    @property
    def name(self) -> str:
        """What is tried."""
        return str(self.module.NAME)

    @property
    def brokers(self) -> tuple[str, ...]:
        """Where it can be run."""
        return tuple(self.module.BROKERS)

    def file(self, example: str) -> Path:
        """The source of "broken" or "fixed"."""
        return self.folder / f"{self.prefix}{example}.py"

    def try_out(
        self, servers: Ground, example: str, broker: str = "", entered: Callable[[Stage], object] = lambda _stage: None
    ) -> Result:
        """Put `example` ("broken" or "fixed") through it; `entered` is called with the stage, to watch it."""
        with servers.stage(self.folder.name[:4], broker or self.brokers[0]) as stage:
            entered(stage)
            began = time.monotonic()
            counts = self.module.run(stage, f"antipatterns.{self.folder.name}.{self.prefix}{example}")
            seconds = time.monotonic() - began
            failed = bool(self.module.failed(counts))
            differs = differences(counts, self.module.DUE[example]) + wrong_way(example, failed)
            result = Result(counts, failed, differs, self.module.verdict(counts), seconds, stage.notes())
        if folder := os.environ.get(RESULTS):
            self._write_down(Path(folder), example, broker or self.brokers[0], result)
        return result

    def _write_down(self, folder: Path, example: str, broker: str, result: Result) -> None:
        line = {
            "folder": self.folder.name, "by_hand": bool(self.prefix), "example": example, "broker": broker,
            "counts": result.counts, "failed": result.failed, "differs": result.differs,
            "due": {name: limits(due) for name, due in self.module.DUE[example].items()},
            "seconds": round(result.seconds, 2),
        }  # fmt: skip
        with (folder / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class Antipattern:
    """A folder: its number and its experiments, on Celery and, where there is a counterpart, by hand."""

    folder: Path

    @property
    def number(self) -> int:
        """1 to 20."""
        return int(self.folder.name[2:4])

    @property
    def name(self) -> str:
        """What it is called."""
        return self.on_celery.name

    @property
    def on_celery(self) -> Experiment:
        """The antipattern itself."""
        return Experiment(self.folder, "")

    @property
    def by_hand(self) -> Experiment | None:
        """The same mistake in a consumer written by hand, if it can be made there."""
        return Experiment(self.folder, "by_hand_") if (self.folder / "by_hand_experiment.py").exists() else None


def all_of_them() -> list[Antipattern]:
    """By number."""
    return [Antipattern(folder) for folder in sorted(HERE.glob("ap[0-9][0-9]_*"))]


def differences(counts: Counts, due: Due) -> list[str]:
    """Each count that is not as it is due: "ticks that came: 9, due 7"."""
    said = []
    for name in {**due, **counts}:
        least, most = limits(due[name]) if name in due else (math.nan, math.nan)
        if name not in counts or not least <= counts[name] <= most:
            wanted = "not named" if name not in due else f"{least:g}" if least == most else f"{least:g} to {most:g}"
            said.append(f"{name}: {counts.get(name, 'missing')}, due {wanted}")
    return said


def limits(due: float | tuple[float, float]) -> tuple[float, float]:
    """The least and the most that is due."""
    return due if isinstance(due, tuple) else (due, due)


def wrong_way(example: str, failed: bool) -> list[str]:
    """What is said of a broken example that held, or of a fixed one that failed."""
    return [] if failed == (example == "broken") else [f"{example} {'failed' if failed else 'held'}"]


def interval(shown: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % confidence interval of a share: Wilson's, which holds for few tries and for 0 and 1.

    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927), 209-212.
    """
    share, square = shown / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def on_celery(number: int) -> Experiment:
    """The experiment of the antipattern with that number; KeyError if there is none."""
    return {each.number: each for each in all_of_them()}[number].on_celery


def by_hand(number: int) -> Experiment:
    """Its counterpart by hand; KeyError if there is none."""
    return {each.number: each.by_hand for each in all_of_them() if each.by_hand}[number]
