"""Broken and fixed at the same time, each on a stage of its own, told side by side while it happens."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from antipatterns.experiment import Experiment, Result
from antipatterns.show import columns, line_of
from experiments.evidence import Note
from experiments.ground import Ground
from experiments.stage import DidNotHappen, Stage

EXAMPLES = ("broken", "fixed")
QUIET = {"holds", "lets pass", "ordered a fault", "answered"}  # the experiment's own doings, which no worker shows
MANY = 4  # events alike in a row, all of which are told
LOOK = 0.05  # seconds between two looks

Say = Callable[[str], None]


class Teller:
    """Tells one column's events as they come; of many alike in a row the first few, and how many more there were."""

    def __init__(self, side: int, say: Say) -> None:
        self.side, self.say = side, say
        self.seen, self.last, self.alike = 0, "", 0

    def new(self, notes: Sequence[Note]) -> Sequence[Note]:
        """What was not among `notes` the last time."""
        new = notes[self.seen :]
        self.seen += len(new)
        return new

    def tell(self, note: Note, began: float) -> None:
        """Say it, with the time since `began`."""
        if note.what in QUIET:
            return
        if note.what != self.last:
            self.close()
            self.last, self.alike = note.what, 0
        self.alike += 1
        if self.alike <= MANY:
            self._line(line_of(note, began))

    def close(self) -> None:
        """Say how many were left out."""
        if self.alike > MANY:
            self._line(f"          … {self.alike - MANY} more")

    def _line(self, text: str) -> None:
        self.say(columns(*([text], [""])[:: 1 if self.side == 0 else -1]))


def both(experiment: Experiment, servers: Ground, broker: str, say: Say) -> tuple[Result, Result]:
    """Try out both examples, and say what happens in two columns, as it happens.

    Raises:
        DidNotHappen: what one of them waited for did not come; the message names it.
    """
    stages: dict[str, Stage] = {}
    tellers = [Teller(side, say) for side in range(2)]
    with ThreadPoolExecutor(2) as pool:
        futures = [
            pool.submit(experiment.try_out, servers, example, broker, partial(stages.__setitem__, example))
            for example in EXAMPLES
        ]
        began, over = time.time(), False
        while not over:
            servers.rest(LOOK)
            over = all(future.done() for future in futures)
            new: list[tuple[Teller, Note]] = []
            for example, teller in zip(EXAMPLES, tellers, strict=True):
                notes = stages[example].notes() if example in stages else []
                new += [(teller, note) for note in teller.new(notes)]
            for teller, note in sorted(new, key=lambda each: each[1].at):
                teller.tell(note, began)
    for teller in tellers:
        teller.close()
    for example, future in zip(EXAMPLES, futures, strict=True):
        if isinstance(error := future.exception(), DidNotHappen):
            raise DidNotHappen(f"{example}: {error}") from error
    return futures[0].result(), futures[1].result()
