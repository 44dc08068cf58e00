"""The soak: a steady load on both lanes for 200 s, and a fault of another kind every 10 s.

`make soak` runs it. Every accepted run must end, and each effect must happen once. At the end the processes may hold
at most a tenth more memory, files and connections to the broker than after a first round of all faults.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from commands.common.console import say
from tests.faults.conftest import JOBS, LANES, PROCESSES
from tests.faults.trial import Trial
from tests.kit import Kit, running, until

SECONDS, EVERY = 200.0, 10.0
WORKERS = ("celery_worker-1", "consumer-1")
TEXT = {"text": "Продам Toyota Camry 2015, 1 250 000 руб, Москва"}
SLACK = {"MB": 8, "files": 6, "connections": 1}  # beside the tenth: a tenth of a small number is less than one


@pytest.fixture
def soaking(tmp_path: Path) -> Iterator[Trial]:
    """A trial on both lanes, on its own kit."""
    with running(tmp_path / "soak", *PROCESSES, EXTRA_JOBS=JOBS) as kit:
        trial = Trial(kit, LANES)
        yield trial
        trial.close()


def faults(trial: Trial) -> list[tuple[str, Callable[[], None]]]:
    """The faults of the kit, one after the other. Each heals by itself, or is healed before its function returns."""
    kit = trial.kit
    pause = threading.Event()

    def kill_workers() -> None:
        for name in WORKERS:
            kit.kill_group(name)

    def kill_children() -> None:
        for name in WORKERS:
            os.kill(kit.children(name)[0], signal.SIGKILL)

    def cut_connections() -> None:
        kit.rabbitmqctl("close_all_connections", "cut by the test")

    def freeze_workers() -> None:
        for name in WORKERS:
            kit.signal_group(name, signal.SIGSTOP)
        pause.wait(4)
        for name in WORKERS:
            kit.signal_group(name, signal.SIGCONT)

    def throttle() -> None:
        with trial.world() as world:
            world.post("/_control/faults", json={"service": "openai", "fault": "throttle", "share": 1.0})
            pause.wait(3)
            world.delete("/_control/faults")

    def restart_broker() -> None:
        kit.rabbitmqctl("stop_app")
        kit.rabbitmqctl("start_app")

    def flush_redis() -> None:
        with redis.Redis.from_url(trial.settings.redis_url) as client:
            client.flushall()

    return [
        ("a worker of each lane is killed", kill_workers),
        ("all connections to the broker are closed", cut_connections),
        ("a child of each lane is killed", kill_children),
        ("the workers are frozen for 4 s", freeze_workers),
        ("the language model throttles for 3 s", throttle),
        ("the broker is restarted", restart_broker),
        ("Redis is emptied", flush_redis),
    ]


def held(kit: Kit) -> dict[str, int]:
    """The memory and files of each watched process, with its children, and the number of the broker's connections."""
    found = {}
    for name in ("api", *WORKERS):
        parent = psutil.Process(kit.pid(name))
        family = [parent, *parent.children(recursive=True)]
        found[f"{name}, MB"] = sum(process.memory_full_info().uss for process in family) >> 20
        found[f"{name}, files"] = sum(process.num_fds() for process in family)
    found["broker, connections"] = len(kit.rabbitmqctl("list_connections", "pid").split())
    return found


def too_much(before: dict[str, int], now: dict[str, int]) -> list[str]:
    """The values that are more than a tenth above their earlier ones, in words."""
    return [
        f"{name}: {before[name]}, then {count}"
        for name, count in now.items()
        if count > before[name] * 1.1 + SLACK[name.rpartition(" ")[2]]
    ]


@pytest.mark.soak
def test_a_steady_load_with_a_fault_every_ten_seconds(soaking: Trial) -> None:
    injected: list[str] = []

    def round_of_faults(until_seconds: float) -> None:
        clock, kinds = threading.Event(), faults(soaking)
        for place in range(int(until_seconds / EVERY)):
            name, inject = kinds[place % len(kinds)]
            thread = threading.Thread(target=inject)
            thread.start()
            clock.wait(EVERY)
            thread.join()
            injected.append(name)

    def at_rest() -> dict[str, int]:
        until(lambda: set(soaking.states()) <= {"DONE"}, 60, "all is done")
        soaking.submit("classify_post", count=40, args=TEXT)  # so that new processes have loaded what they need
        soaking.submit(count=40, args={"task_num": 1, "timeout": 0.02})
        until(lambda: set(soaking.states()) <= {"DONE"}, 60, "all is done")
        return held(soaking.kit)

    with soaking.load(every=0.25, args={"task_num": 1, "timeout": 0.1}), soaking.load("classify_post", 1.0, args=TEXT):
        round_of_faults(len(faults(soaking)) * EVERY)
    warm = at_rest()
    with soaking.load(every=0.25, args={"task_num": 1, "timeout": 0.1}), soaking.load("classify_post", 1.0, args=TEXT):
        round_of_faults(SECONDS)
    soaking.healed()
    end = at_rest()

    for lane, v in soaking.survives(within=60, effect_each=False, ledger_lost=True).items():
        say(f"{lane}: {v.accepted} accepted, {v.done} done, {v.lost} lost, {v.duplicated} duplicated")
    say(f"{len(injected)} faults; slowest answer {soaking.slowest:.2f} s; {soaking.refused} refused")
    for name, count in end.items():
        say(f"{name:28}{warm[name]:6} after warm-up{count:6} at the end")
    assert len(injected) >= SECONDS / EVERY
    assert not too_much(warm, end)
