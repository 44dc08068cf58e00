"""Verdict: a check's answer (valid, invalid or unknown) with its evidence."""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from commands.common.console import colour
from experiments.evidence import Note
from experiments.ground import Ground
from experiments.stage import DidNotHappen
from labs.lab import Lab
from labs.requirements import Invalid, Requirement
from labs.trial import Trial

COLOURS = {"valid": "32;1", "invalid": "31;1", "unknown": "33;1"}
painted = partial(colour, to=sys.stdout)


@dataclass(frozen=True)
class Verdict:
    """The result of one trial."""

    lab: str
    lane: str
    verdict: str  # "valid", "invalid", or "unknown" if the trial itself could not be carried out
    mistake: str  # the mistake in a few words; empty if there is none
    seconds: float
    requirements: list[Requirement] = field(default_factory=list)  # in order; only the last one can fail
    history: list[Note] = field(default_factory=list)  # all events, in order

    def as_text(self) -> str:
        """Return the verdict as text for the student."""
        lines = []
        for each in self.requirements:
            lines.append(f"  {painted('✓', '32') if each.holds else painted('✗', '31')} {each.claim}")
            if not each.holds:
                lines += [f"      what happened   {each.happened}"] if each.happened else []
                lines += [f"      look at         {each.look}"] if each.look else []
        said = f": {self.mistake}" if self.mistake else ""
        verdict = painted(self.verdict, COLOURS[self.verdict])
        return "\n".join([*lines, "", f"  {verdict}{said}  ({self.seconds:.1f} s)"])

    def as_json(self) -> str:
        """Return the verdict as JSON. The times in its history are seconds since 1970."""
        return json.dumps(asdict(self), ensure_ascii=False, default=str)


def judge(lab: Lab, lane: str, program: Path, servers: Ground) -> Verdict:
    """Run the lab's check on a program, and return the verdict."""
    check: Any = import_module(f"labs.{lab.name}.check").check
    began = time.monotonic()
    verdict, mistake = "valid", ""
    requirements, history = list[Requirement](), list[Note]()
    try:
        with servers.stage(f"{lab.name[:5]}-{lane}") as stage:
            trial = Trial(stage, lane, program, servers)
            requirements = trial.requirements
            try:
                check(trial)
            finally:
                trial.close()
                history = stage.notes()
    except Invalid:
        verdict, mistake = "invalid", requirements[-1].mistake
    except DidNotHappen as error:
        verdict, mistake = "unknown", str(error)
    except Exception as error:  # an error of the trial proves nothing about the program
        verdict, mistake = "unknown", f"the trial could not be carried out: {type(error).__name__}: {error}"
    seconds = round(time.monotonic() - began, 2)
    return Verdict(lab.name, lane, verdict, mistake, seconds, requirements, history)
