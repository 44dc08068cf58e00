"""Checks of the work while the kit is up: runs start, move and end. Each check is one function.

Running processes alone prove little. A message may kill each child that takes it, or a run may never move.
"""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from commands.common.state import RunDir
from commands.diagnosis.fault import Fault
from commands.servers import amqp, redis_server
from commands.servers.supervisor import Supervisor

PATIENCE = 60  # seconds that a due run may wait for a worker
LOOK_BACK = 300  # seconds
FEW_DEATHS = 3  # within LOOK_BACK; a lesson may kill that many by hand
FEW_LETTERS = 50
LOG_BYTES = 200_000  # read from the end of each log
PROGRAMS = {"celery": "celery_worker", "raw": "consumer"}
# A log line about the death of a process, as supervisor, Celery and the raw worker write it. A Z means UTC.
DEATH = re.compile(
    r"^(?:time=)?(?P<at>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)\S*? "
    r".*?(?:WARN exited: (?P<program>\S+) \(.*not expected| died with |exited with '(?!exitcode 0))"
)


def workers(run: RunDir) -> Iterator[Fault]:
    """Check that workers read the queues of both lanes. A busy raw worker does not read; its reports prove it is up."""
    values, supervisor = run.read_env(), Supervisor(run)
    if not supervisor.is_up() or amqp.why_not(values["RMQ_URL"]) or redis_server.why_not(values["REDIS_URL"]):
        return
    from cars_bot.catalogue import QUEUES
    from cars_bot.processes import raw_worker_state
    from cars_bot.settings import settings

    alive = {process.pid for process in supervisor.processes() if process.is_alive}
    idle = [] if alive & {worker["pid"] for worker in raw_worker_state.workers()} else ["consumer"]
    if not settings().celery_over_redis and amqp.why_not(settings().celery_broker_url) is None:
        read = amqp.consumers(settings().celery_broker_url, list(QUEUES))
        idle += [] if all(read.get(name) for name in QUEUES) else ["celery_worker"]
    for program in idle:
        mend = f"./kit scale {program}=1   or, if it runs: ./kit restart {program}"
        yield Fault(f"no {program} reads its queues", mend)


def progress(run: RunDir) -> Iterator[Fault]:
    """Check that due runs start and that started runs end."""
    if not Supervisor(run).is_up():
        return
    from sqlalchemy.exc import SQLAlchemyError

    from cars_bot import database
    from cars_bot.errors import StorageUnavailable

    try:
        with database.statements() as connection:
            for lane, program in (PROGRAMS | {"inline": "api"}).items():
                yield from _standing_still(connection, lane, program)
    except StorageUnavailable:
        return  # the check of the database reports it
    except SQLAlchemyError as error:
        yield Fault(f"the database gives an unexpected answer ({type(error).__name__})", "./kit logs api")


def _standing_still(connection: Any, lane: str, program: str) -> Iterator[Fault]:
    """Find runs of one lane that wait too long. Many at once are a backlog; a run that later runs overtake is stuck."""
    from sqlalchemy import func, select

    from cars_bot.database.models import runs
    from cars_bot.runs import ENDED

    now = time.time()
    ours, waits = runs.c.lane == lane, runs.c.state.in_(("PENDING", "RETRYING")) & (runs.c.due_at < now - PATIENCE)
    waiting, oldest = connection.execute(select(func.count(), func.min(runs.c.due_at)).where(ours, waits)).one()
    limits = _policies()
    at_work = connection.execute(
        select(runs.c.job, runs.c.started_at, runs.c.attempt).where(ours, runs.c.state == "IN_PROGRESS")
    ).all()
    hanging = [job for job, began, attempt in at_work if began and now - began > _at_most(limits.get(job), attempt)]
    if hanging:
        what = f"{len(hanging)} runs of the {lane} lane are at work for longer than they may ({hanging[0]}, …)"
        yield Fault(what, f"./kit restart {program}; ./kit logs {program}")
    if not waiting:
        return
    ended = select(func.count()).where(ours, runs.c.state.in_(ENDED), runs.c.finished_at > now - PATIENCE)
    moves = connection.execute(ended).scalar_one() or len(at_work) > len(hanging)
    late = select(runs.c.id, runs.c.queue, runs.c.priority, runs.c.due_at).where(ours, waits).order_by(runs.c.due_at)
    for run_id, queue, priority, due_at in connection.execute(late.limit(20)).all():
        # A queue gives out its first message first. So no run that came a minute later may end before this one.
        passed_by = select(runs.c.id).where(
            ours, runs.c.queue == queue, runs.c.priority <= priority, runs.c.state.in_(ENDED),
            runs.c.accepted_at > due_at + PATIENCE, runs.c.attempt > 0,
        )  # fmt: skip
        if connection.execute(passed_by.limit(1)).first():
            yield Fault(f"run {run_id} of the {lane} lane does not move, although later runs have ended",
                        f"./kit logs {program}; the page of the run shows its events")  # fmt: skip
            return
    what = f"{waiting} runs of the {lane} lane have waited for more than {PATIENCE} s"
    if moves:
        yield Fault(what, f"./kit scale {program}=3   if they are many", note=True)
    else:
        since = f"the first for {now - oldest:.0f} s" if oldest else ""
        yield Fault(f"{what} ({since}) and none of them moves", f"./kit logs {program}; ./kit restart {program}")


def _policies() -> dict[str, Any]:
    from cars_bot.catalogue import JOBS

    return {job.name: job.policy for job in JOBS.values()}


def _at_most(policy: Any, attempt: int) -> float:
    """Return the seconds after its first start during which a run may be at work in this attempt."""
    if policy is None:
        return float("inf")  # a job of another kit
    earlier = max(0, attempt - 1) * (policy.hard_time_limit + policy.backoff_max)
    return float(earlier + policy.hard_time_limit + PATIENCE)


def crashes(run: RunDir) -> Iterator[Fault]:
    """Check that no process dies again and again. Supervisor and the workers restart it, so nobody sees the deaths."""
    if not Supervisor(run).is_up():
        return
    deaths: dict[str, int] = {}
    for log in run.logs.glob("*.log"):
        for name in deaths_in(log, time.time() - LOOK_BACK):
            deaths[name] = deaths.get(name, 0) + 1
    for name, count in sorted(deaths.items()):
        if count > FEW_DEATHS:
            what = f"{name}: its processes have died {count} times within the last {LOOK_BACK // 60} minutes"
            yield Fault(what, f"./kit logs {name}; ./kit dead-letters list")


def deaths_in(log: Path, since: float) -> Iterator[str]:
    """Yield the names of the processes that died according to a log, one name per death."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_BYTES))
        text = file.read().decode(errors="replace")
    for line in text.splitlines():
        if found := DEATH.match(line):
            at = datetime.fromisoformat(found["at"])
            if line[found.end("at") :].partition(" ")[0].endswith("Z"):
                at = at.replace(tzinfo=UTC)
            if at.timestamp() > since:
                yield found["program"] or log.stem


def dead_letters(run: RunDir) -> Iterator[Fault]:
    """Check that dead letters do not pile up."""
    values = run.read_env()
    if not Supervisor(run).is_up():
        return
    from cars_bot.settings import settings

    places = {"raw": values["RMQ_URL"]}
    if not settings().celery_over_redis:
        places["celery"] = settings().celery_broker_url
    for lane, url in places.items():
        if amqp.why_not(url):
            continue  # the check of the connections reports it
        if count := amqp.messages(url, [f"{lane}.dead"]).get(f"{lane}.dead", 0):
            what = f"{count} dead letters of the {lane} lane"
            yield Fault(what, f"./kit dead-letters list --lane {lane}", note=count <= FEW_LETTERS)
