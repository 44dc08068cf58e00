"""A trial: the runs that one fault test sends down its lanes, and the evidence that the checker gets afterwards.

    ids = trial.submit("process_task", count=20)     accepted, noted
    with trial.load():                               runs keep coming while something is broken
        break_it()
        mend_it()
    trial.survives(within=60)                        heal, drain, look, judge; fails the test unless the verdict is true

A trial uses one lane, or both at once. If a broker dies, it dies for both lanes, and each gets its own verdict.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from tests.contract.dead_letters import letters
from tests.faults.checker import ENDED, OUTCOME_UNKNOWN, History, Verdict, check
from tests.faults.evidence import Evidence, grown, held
from tests.kit import NO_TLS, Kit, until

A_SECOND = {"task_num": 1, "timeout": 0.3}


class Trial(Evidence):
    """A trial on one lane or on both. The module shows its use.

    Attributes:
        `accepted`: by lane, the ids of the runs whose acceptance was answered.
        `broken`: by lane, the keys of requests that got no answer.
        `refused`: the number of requests that were answered with 503.
        `slowest`: the seconds that the slowest answered request took.
        `verdicts`: by lane, after a call of `survives`.
    """

    def __init__(self, kit: Kit, lanes: tuple[str, ...]) -> None:
        super().__init__(kit.environment)
        self.kit, self.lanes = kit, lanes
        self.accepted: dict[str, list[str]] = {lane: [] for lane in lanes}
        self.broken: dict[str, list[str]] = {lane: [] for lane in lanes}
        self.refused, self.slowest = 0, 0.0
        self.verdicts: dict[str, Verdict] = {}
        self.http = httpx.Client(base_url=kit.http.base_url, timeout=15.0, trust_env=False, verify=NO_TLS)
        self._before = held(kit)
        self._began = time.time()
        self._healed: float | None = None

    def close(self) -> None:
        """Close the connections."""
        self.http.close()
        super().close()

    def world(self) -> httpx.Client:
        """A client of the outside world, for `with`."""
        return httpx.Client(base_url=self.settings.outside_world_url, timeout=30, trust_env=False, verify=NO_TLS)

    # -------------------------------------------------- sending

    def submit(self, job: str = "process_task", count: int = 1, lane: str = "", **body: Any) -> list[str]:
        """Submit to `lane`, or to all lanes of the trial if none is named. The API must accept. Return the ids."""
        lanes = (lane,) if lane else self.lanes
        answers = [self.try_to_submit(each, job, count, **body) for each in lanes]
        assert None not in answers, f"{job} was not accepted"
        return [run_id for answer in answers for run_id in answer or ()]

    def try_to_submit(
        self, lane: str, job: str = "process_task", count: int = 1, key: str = "", **body: Any
    ) -> list[str] | None:
        """Submit with an Idempotency-Key. None: the API refused it with 503, or it broke and its result is unknown."""
        key = key or str(uuid.uuid4())
        wanted = {"lane": lane, "job": job, "count": count, "args": A_SECOND if job == "process_task" else {}} | body
        began = time.monotonic()
        try:
            reply = self.http.post("/api/runs", json=wanted, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            self.broken[lane].append(key)
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        if reply.status_code == 503:
            self.refused += 1
            return None
        assert reply.status_code in (200, 202), reply.text
        if key in self.broken[lane]:
            self.broken[lane].remove(key)
        ids = [run["id"] for run in reply.json()["runs"]]
        self.accepted[lane] += ids
        return ids

    @contextmanager
    def load(self, job: str = "process_task", every: float = 0.3, **body: Any) -> Iterator[None]:
        """Submit one run to each lane every `every` seconds, for as long as the block lasts."""
        over, trouble = threading.Event(), []

        def keep_on() -> None:
            try:
                while not over.wait(every):
                    for lane in self.lanes:
                        self.try_to_submit(lane, job, **body)
            except Exception as error:
                trouble.append(error)

        thread = threading.Thread(target=keep_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        assert not trouble, trouble

    # -------------------------------------------------- looking

    def ids(self, lane: str = "") -> list[str]:
        """The runs known to be accepted."""
        return [run_id for each, ids in self.accepted.items() if lane in ("", each) for run_id in ids]

    def states(self, ids: list[str] | None = None) -> list[str]:
        """The states of these runs, or of all that are known to be accepted."""
        return super().states(self.ids() if ids is None else ids)

    def reach(self, state: str, count: int = 1, seconds: float = 30.0, ids: list[str] | None = None) -> None:
        """Wait until so many runs of the trial are in `state`."""
        until(lambda: self.states(ids).count(state) >= count, seconds, f"{count} runs are {state}")

    def put_aside(self, lane: str, ids: list[str]) -> list[str]:
        """Wait until the messages of these runs are among the lane's dead letters. Return the runs that have a letter.

        Letters of other runs do not count, because those of an earlier test may come late.
        """

        def found() -> list[str]:
            return sorted(letter["run"] for letter in letters(self.kit, lane) if letter["run"] in ids)

        with suppress(AssertionError):
            until(lambda: len(found()) >= len(ids), 15, "all are put aside")
        return found()

    # -------------------------------------------------- judging

    def healed(self) -> None:
        """Note that the fault is over. Recovery is counted from here."""
        self._healed = time.time()

    def survives(
        self,
        within: float,
        *,
        failed: int = 0,
        revoked: int = 0,
        unknown: int = 0,
        effect_each: bool = True,
        ledger_lost: bool = False,
        outside: list[str] | None = None,
        marker: bool = True,
    ) -> dict[str, Verdict]:
        """Wait for the drain, judge each lane, and fail the test unless every verdict is true.

        Args:
            within: seconds in which the lanes must drain, without help.
            failed, revoked: how many runs of each lane must end so. One more or one less fails the test.
            unknown: how many further runs may fail because their outcome is unknown.
            outside: names of the effects seen in the outside world.
            marker: send a run through each lane before the second look. Without workers no run would get through.
        """
        healed = self._healed or time.time()
        for lane in self.lanes:
            with suppress(AssertionError):  # runs that have not ended by then are lost, and the checker says so
                until(lambda lane=lane: self._is_drained(lane), within, "drained")
        first = {lane: self.rows(lane, self._began) for lane in self.lanes}
        markers = {run_id for lane in self.lanes if marker for run_id in self._pass_through(lane)}
        overgrown = self._overgrown()
        for lane in self.lanes:
            rows = first[lane]
            ids = {row.id for row in rows}
            history = History(
                accepted=self.accepted[lane],
                broken=self.stored_under(self.broken[lane]),
                rows=rows,
                later=[row for row in self.rows(lane, self._began) if row.id not in markers],
                effects=self.effects(ids),
                outside=outside or [],
                events=self.events(ids, self._began - 1),
                healed_at=healed,
                effect_each=effect_each,
                ledger_lost=ledger_lost,
                overgrown=overgrown,
            )
            self.verdicts[lane] = verdict = check(history)
            told_unknown = sum((row.error or "").startswith(OUTCOME_UNKNOWN) for row in rows)
            if verdict.failed - told_unknown != failed or verdict.revoked != revoked or told_unknown > unknown:
                verdict.blame(
                    f"{verdict.failed} runs FAILED ({told_unknown} of them unknown), {verdict.revoked} were REVOKED; "
                    f"it should have been {failed}, {unknown} and {revoked}: {[r.error for r in rows if r.error][:3]}"
                )
        for lane, verdict in self.verdicts.items():
            assert verdict.verdict == "true", f"{lane}: {verdict}"
        return self.verdicts

    def _is_drained(self, lane: str) -> bool:
        rows = self.rows(lane, self._began)
        known = {row.id for row in rows}
        return all(row.state in ENDED for row in rows) and known >= set(self.accepted[lane])

    def _pass_through(self, lane: str) -> list[str]:
        """Send a run behind everything else and wait for its end. Then all late copies have gone through, too."""
        reply = self.http.post("/api/runs", json={"lane": lane, "job": "debug_task"})
        ids = [run["id"] for run in reply.json()["runs"]]
        with suppress(AssertionError):
            until(lambda: self.states(ids) == ["DONE"], 30, "the marker is through")
        return ids

    def _overgrown(self) -> list[str]:
        """Complaints about processes that hold much more than before. Connections take a moment to close."""
        with suppress(AssertionError):
            until(lambda: not grown(self._before, held(self.kit)), 10, "all is as small as before")
        return grown(self._before, held(self.kit))
