"""Broken and fixed at the same time, each on a stage of its own, told side by side while it happens."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from antipatterns.experiment import Experiment, Result
from antipatterns.show import columns, line_of
from experiments.evidence import Note
from experiments.ground import Ground, Stage

EXAMPLES = ("broken", "fixed")
QUIET = {"holds", "lets pass"}  # the experiment's own doings: nothing a worker would show
MANY = 4  # events alike in a row, all of which are told
LOOK = 0.05  # seconds between two looks

Say = Callable[[str], None]


class Teller:
    """Tells one column's events as they come; of many alike in a row the first few, and how many more there were."""

    def __init__(self, side: int, say: Say) -> None:
        self.side, self.say = side, say
        self.seen, self.last, self.alike = 0, "", 0

    def tell(self, notes: Sequence[Note], began: float) -> None:
        """Say what is new in `notes`, with the time since `began`."""
        for note in notes[self.seen :]:
            self.seen += 1
            if note.what in QUIET:
                continue
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
    """Try out both examples, and say what happens in two columns."""
    stages: dict[str, Stage] = {}
    tellers = [Teller(side, say) for side in range(2)]
    with ThreadPoolExecutor(2) as pool:
        futures = [
            pool.submit(experiment.try_out, servers, example, broker, partial(stages.__setitem__, example))
            for example in EXAMPLES
        ]
        began = time.time()
        try:
            while not all(future.done() for future in futures):
                for example, teller in zip(EXAMPLES, tellers, strict=True):
                    if example in stages:
                        teller.tell(stages[example].notes(), began)
                time.sleep(LOOK)
        except KeyboardInterrupt:
            servers.over.set()  # the experiments clear their stages and end
            raise
    broken, fixed = (future.result() for future in futures)
    for result, teller in zip((broken, fixed), tellers, strict=True):
        teller.tell(result.notes, began)
        teller.close()
    return broken, fixed
