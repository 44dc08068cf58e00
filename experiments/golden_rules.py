"""python -m experiments.golden_rules: break a whole kit in four ways, one for each golden rule.

1  A task may run again.          Every message is sent twenty times more: one effect.
2  A worker may die at any time.  SIGKILL in the middle of the work: everything is done, once.
3  Beat may die.                  SIGKILL both schedulers: the next tick comes, once.
4  Redis may be emptied.          FLUSHALL in the middle of the work: everything is done, once.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import redis

from commands.common.console import DONE, NO, Problem, Progress, any_terminal, report, table
from experiments.ground import NoGround
from experiments.whole_kit import WholeKit, whole_kit

LANES = ("celery", "raw")
WORKERS = {"celery": "celery_worker-1", "raw": "consumer-1"}
SCHEDULERS = {"celery": "celery_beat", "raw": "scheduler"}
COPIES = 10
HEADER = ("rule", "what was done", "lane", "accepted", "done", "lost", "duplicated", "holds")

# Publishes runs again, like a relay that died before it could mark them as confirmed.
_AGAIN = """
import sys
from api.publishing import lanes
from cars_bot import database, runs
lane, times, *ids = sys.argv[1:]
with database.statements() as connection:
    found = [runs.find(connection, run) for run in ids]
for _ in range(int(times)):
    assert len(lanes.publish(lane, found)) == len(ids)
lanes.close()
"""
_TICKS = """
import sys
from sqlalchemy import select
from cars_bot import database
from cars_bot.database.models import runs
lane, since = sys.argv[1], float(sys.argv[2])
question = select(runs.c.id).where(runs.c.lane == lane, runs.c.job == "sync_channels", runs.c.accepted_at >= since)
with database.statements() as connection:
    print(*connection.execute(question).scalars())
"""

Line = dict[str, Any]


def may_run_again(kit: WholeKit, lane: str) -> dict[str, int]:
    """Rule 1: send every message again, ten times at once and ten times after the runs have ended."""
    ids = kit.submit(lane, "process_task", 5, task_num=1, timeout=0.2)
    kit.python(_AGAIN, lane, str(COPIES), *ids)
    kit.wait(ids)
    kit.python(_AGAIN, lane, str(COPIES), *ids)  # also after they have ended
    return kit.wait(ids + kit.submit(lane, "process_task", 1, task_num=2, timeout=0))  # behind all copies


def worker_may_die(kit: WholeKit, lane: str) -> dict[str, int]:
    """Rule 2: kill a worker and its children in the middle of the work."""
    ids = kit.submit(lane, "process_task", 20, task_num=1, timeout=0.5)
    wait_until(lambda: kit.wait(ids, 0)["done"] >= 3, "some are done, others at work")
    kit.kill(WORKERS[lane])
    return kit.wait(ids)


def beat_may_die(kit: WholeKit, lane: str) -> dict[str, int]:
    """Rule 3: kill the scheduler, and count the ticks of the next minute."""
    minute = time.time() // 60 * 60 + 60
    kit.kill(SCHEDULERS[lane])
    wait_until(lambda: kit.python(_TICKS, lane, str(minute)).split(), "the next tick has come", seconds=130)
    wait_until(lambda: time.time() > minute + 20, "a second one for the same minute would have come", seconds=130)
    ticks = kit.python(_TICKS, lane, str(minute)).split()
    return {**kit.wait(ticks), "duplicated": len(ticks) - 1}


def redis_may_be_emptied(kit: WholeKit, lane: str) -> dict[str, int]:
    """Rule 4: empty Redis in the middle of the work."""
    ids = kit.submit(lane, "process_task", 20, task_num=1, timeout=0.5)
    wait_until(lambda: kit.wait(ids, 0)["done"] >= 3, "some are done, others at work")
    redis.Redis.from_url(str(kit.addresses()["REDIS_URL"])).flushall()
    return kit.wait(ids)


RULES: list[tuple[str, str, Callable[[WholeKit, str], dict[str, int]]]] = [
    ("A task may run again", f"each message sent {2 * COPIES} times more", may_run_again),
    ("A worker may die", "SIGKILL to the worker and its children", worker_may_die),
    ("Beat may die", "SIGKILL to the scheduler, one tick awaited", beat_may_die),
    ("Redis may be emptied", "FLUSHALL", redis_may_be_emptied),
]


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 60) -> None:
    """Wait until `condition` is true.

    Raises:
        Problem: it was not true within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Problem(f"after {seconds:.0f} s still not: {what}", code=NO)
        time.sleep(0.1)


def main() -> int:
    """Break the kit in four ways; return 0 if each time everything was done exactly once."""
    parser = argparse.ArgumentParser(prog="./kit golden-rules", description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    lines: list[Line] = []
    try:
        with whole_kit() as kit:
            for number, (rule, done, break_it) in enumerate(RULES, 1):
                for lane in LANES:
                    with Progress(f"{number}. {rule}: {lane}"):
                        counts = break_it(kit, lane)
                    holds = counts["done"] == counts["accepted"] > 0 and not counts["lost"] and not counts["duplicated"]
                    kept = {name: counts[name] for name in ("accepted", "done", "lost", "duplicated")}
                    lines.append({"rule": f"{number}. {rule}", "what": done, "lane": lane, **kept, "holds": holds})
    except NoGround as error:
        report(Problem("the kit for the golden rules could not be started", "./kit doctor", detail=str(error)))
        return 4
    except Problem as problem:
        report(problem)
        return problem.code
    if options.json:
        print(json.dumps(lines, indent=1))
    else:
        rows = [[*line.values()] for line in lines]
        print(table([[*row[:-1], "yes" if row[-1] else "NO"] for row in rows], HEADER, right=range(3, 7)))
    return DONE if all(line["holds"] for line in lines) else NO


if __name__ == "__main__":
    any_terminal(for_itself=True)
    sys.exit(main())
