"""Requirements: the claims that a check makes about a student's program, and the result of each claim."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.processes import Group
from experiments.stage import DidNotHappen, Stage

PATIENCE = 20.0  # seconds that anything may take before the check counts it as not happening


@dataclass(frozen=True)
class Requirement:
    """One claim about the program, and its result."""

    claim: str
    holds: bool
    mistake: str = ""
    happened: str = ""
    look: str = ""


class Invalid(Exception):
    """A requirement does not hold, and the trial is over."""


class ProgramUnderTest:
    """A student's program on a stage, and the requirements tried on it so far.

    Attributes:
        program: the student's file.
        requirements: all of them so far, in order.
    """

    def __init__(self, stage: Stage, program: Path) -> None:
        self.stage, self.program = stage, program
        self.requirements: list[Requirement] = []

    def require(self, claim: str, holds: object, *, mistake: str, happened: object = "", look: str = "") -> None:
        """Record that `claim` holds, or end the trial.

        Args:
            claim: the expected fact: "a refused post is asked for once".
            mistake: the mistake of a program that breaks it: "it retries what can never succeed".
            happened: the observation that contradicts the claim.
            look: the place where the student should look.

        Raises:
            Invalid: the claim does not hold.
        """
        self.requirements.append(Requirement(claim, bool(holds), mistake, str(happened), look))
        if not holds:
            raise Invalid

    def until(self, condition: Callable[[], Any], claim: str, *, seconds: float = PATIENCE, **words: Any) -> Any:
        """Require that `condition()` becomes true within `seconds`, and return its value. `words`: as in `require`.

        If a worker ended by itself in the meantime, the check reports that instead.
        """
        try:
            value = self.stage.until(condition, claim, seconds)
        except DidNotHappen as error:
            for group in self.stage.groups:
                self.require_alive(group)
            happened = words.pop("happened", "") or str(error).partition("; ")[2]
            self.require(claim, False, happened=happened() if callable(happened) else happened, **words)
        self.require(claim, True, mistake="")
        return value

    def require_alive(self, group: Group) -> None:
        """Require that a process did not end with an error of its own. A kill by the check is no such error."""
        if group.is_alive() or group.process.returncode in (0, -9, -15):
            return
        reason, where = last_error(group.output(), self.program)
        self.require(
            "the program runs", False, mistake="Your program ended by itself",
            happened=reason or f"exit code {group.process.returncode}", look=where,
        )  # fmt: skip


def last_error(output: str, program: Path) -> tuple[str, str]:
    """Return the last exception in a program's output, and the last line of the student's file in its traceback."""
    trace = output.rpartition("Traceback (most recent call last):")[2]
    reason = next((line for line in trace.splitlines() if line[:1].strip()), "")
    places = re.findall(rf'File "{re.escape(str(program))}", line (\d+)', trace)
    return reason, f"{program.name}, line {places[-1]}" if places else ""
