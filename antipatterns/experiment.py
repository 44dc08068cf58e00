"""Experiment: the form that all twenty antipatterns share, and the statistics of repeated runs."""

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
Due = dict[str, float | tuple[float, float]]  # a number for each count; if the count may vary, its least and its most
RESULTS = "ANTIPATTERN_RESULTS"  # an environment variable that names a folder; every result is written into it


@dataclass(frozen=True)
class Result:
    """The result of one run of one example.

    Attributes:
        differs: each count that is not as due, in words. A fixed example that failed is also named here, and so is
            a broken one that held.
    """

    counts: Counts
    failed: bool
    differs: list[str]
    verdict: str
    seconds: float
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class Experiment:
    """A pair of examples and the steps for both: the module `experiment` or `by_hand_experiment` of a folder."""

    folder: Path
    prefix: str  # "" on Celery, "by_hand_" on pika alone

    @property
    def module(self) -> ModuleType:
        """The module of the experiment.

        It has NAME, BROKERS (the main one first), FIGURE, DUE for each example, run, failed and verdict.
        """
        return import_module(f"antipatterns.{self.folder.name}.{self.prefix}experiment")

    @property
    def name(self) -> str:
        """The name, such as "Several Beats"."""
        return str(self.module.NAME)

    @property
    def brokers(self) -> tuple[str, ...]:
        """The brokers that it can run on."""
        return tuple(self.module.BROKERS)

    def file(self, example: str) -> Path:
        """Return the source file of "broken" or "fixed"."""
        return self.folder / f"{self.prefix}{example}.py"

    def try_out(
        self, servers: Ground, example: str, broker: str = "", entered: Callable[[Stage], object] = lambda _stage: None
    ) -> Result:
        """Run `example` ("broken" or "fixed") on a stage of its own. `entered` gets the stage, so it can watch it."""
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
    """A folder with a number and one or two experiments: on Celery, and by hand where the mistake is possible there."""

    folder: Path

    @property
    def number(self) -> int:
        """The number, 1 to 20."""
        return int(self.folder.name[2:4])

    @property
    def name(self) -> str:
        """The name of its experiment on Celery."""
        return self.on_celery.name

    @property
    def on_celery(self) -> Experiment:
        """The experiment on Celery."""
        return Experiment(self.folder, "")

    @property
    def by_hand(self) -> Experiment | None:
        """The same mistake in a consumer written by hand; None if it is not possible there."""
        return Experiment(self.folder, "by_hand_") if (self.folder / "by_hand_experiment.py").exists() else None


def all_of_them() -> list[Antipattern]:
    """Return all antipatterns in the order of their numbers."""
    return [Antipattern(folder) for folder in sorted(HERE.glob("ap[0-9][0-9]_*"))]


def differences(counts: Counts, due: Due) -> list[str]:
    """Return each count that is not as due, in words: "ticks that came: 9, due 7"."""
    said = []
    for name in {**due, **counts}:
        least, most = limits(due[name]) if name in due else (math.nan, math.nan)
        if name not in counts or not least <= counts[name] <= most:
            wanted = "not named" if name not in due else f"{least:g}" if least == most else f"{least:g} to {most:g}"
            said.append(f"{name}: {counts.get(name, 'missing')}, due {wanted}")
    return said


def limits(due: float | tuple[float, float]) -> tuple[float, float]:
    """Return the least and the most that is due."""
    return due if isinstance(due, tuple) else (due, due)


def wrong_way(example: str, failed: bool) -> list[str]:
    """Return a text for a broken example that held or a fixed one that failed; else nothing."""
    return [] if failed == (example == "broken") else [f"{example} {'failed' if failed else 'held'}"]


def interval(shown: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share. Wilson's interval also holds for few tries and for 0 and 1.

    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927), 209-212.
    """
    share, square = shown / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def on_celery(number: int) -> Experiment:
    """Return the experiment of the antipattern with that number; KeyError if there is none."""
    return {each.number: each for each in all_of_them()}[number].on_celery


def by_hand(number: int) -> Experiment:
    """Return its version by hand; KeyError if there is none."""
    return {each.number: each.by_hand for each in all_of_them() if each.by_hand}[number]
