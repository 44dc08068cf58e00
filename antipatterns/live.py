"""Live view: broken and fixed run at the same time on two stages; two columns show their events as they happen."""

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
QUIET = {"holds", "lets pass", "ordered a fault", "answered"}  # not shown: they only serve the experiment
MANY = 4  # of equal events in a row, so many are shown
LOOK = 0.05  # seconds between two looks

Say = Callable[[str], None]


class Teller:
    """Prints the events of one column as they come. Of many equal ones in a row it prints the first few and a count."""

    def __init__(self, side: int, say: Say) -> None:
        self.side, self.say = side, say
        self.seen, self.last, self.alike = 0, "", 0

    def new(self, notes: Sequence[Note]) -> Sequence[Note]:
        """Return the notes that have come since the last call."""
        new = notes[self.seen :]
        self.seen += len(new)
        return new

    def tell(self, note: Note, began: float) -> None:
        """Print the event with the time since `began`."""
        if note.what in QUIET:
            return
        if note.what != self.last:
            self.close()
            self.last, self.alike = note.what, 0
        self.alike += 1
        if self.alike <= MANY:
            self._line(line_of(note, began))

    def close(self) -> None:
        """Print how many equal events were left out."""
        if self.alike > MANY:
            self._line(f"          … {self.alike - MANY} more")

    def _line(self, text: str) -> None:
        self.say(columns(*([text], [""])[:: 1 if self.side == 0 else -1]))


def both(experiment: Experiment, servers: Ground, broker: str, say: Say) -> tuple[Result, Result]:
    """Run both examples at the same time, and print their events in two columns as they happen.

    Raises:
        DidNotHappen: one of them waited for something that did not come; the message names it.
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
