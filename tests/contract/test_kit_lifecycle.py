"""`kit up`, `status`, `scale`, `down` on real processes: what they start and leave alone, and that nothing stays."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from commands.common.state import is_alive
from tests.kit import ROOT, Kit, until

pytestmark = pytest.mark.thorough  # CI runs it; all other tests here start and end a kit, too

EVERYTHING = {
    "epmd",
    "rabbitmq",
    "redis",
    "outside_world",
    "api",
    "celery_worker-1",
    "celery_beat",
    "consumer-1",
    "scheduler",
}


def processes_of(run_dir: Path) -> dict[int, str]:
    """Every process of this machine whose command line or environment names the run directory, except our own."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        marked = f"KIT_SUPERVISED={run_dir}".encode() in environment.split(b"\0")
        if int(folder.name) != os.getpid() and command and (str(run_dir) in command or marked):
            found[int(folder.name)] = command
    return found


def ports_of(pids: list[int]) -> set[int]:
    """The TCP ports these processes listen on."""
    sockets = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                sockets.add(str(link.readlink()))
            except OSError:
                continue
    listening = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                listening.add(int(fields[1].rpartition(":")[2], 16))
    return listening


@pytest.fixture(scope="module")
def own_kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A kit to start and stop. At the end it is down, whatever the test did."""
    kit = Kit(tmp_path_factory.mktemp("lifecycle"))
    kit.up()
    yield kit
    kit.down()


def names(kit: Kit) -> set[str]:
    return {process["name"] for process in kit.status()["processes"]}


def test_up_starts_everything_and_says_where_it_is(own_kit: Kit) -> None:
    status = own_kit.status()
    assert names(own_kit) == EVERYTHING
    assert {process["state"] for process in status["processes"]} == {"RUNNING"}
    assert status["run_dir"] == str(own_kit.run_dir)
    for name in ("page", "api", "docs", "rabbitmq_management", "outside_world", "rmq", "redis", "database"):
        assert name in status["urls"]
    assert own_kit.http.get("/readyz").json()["ready"] is True


def test_every_port_is_a_loopback_port(own_kit: Kit) -> None:
    pids = list(processes_of(own_kit.run_dir))
    open_to_all = []
    inodes = {str(link.readlink()) for pid in pids for link in Path(f"/proc/{pid}/fd").glob("*") if link.is_symlink()}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes and not fields[1].startswith("0100007F"):
            open_to_all.append(fields[1])
    assert open_to_all == []


def answers(client: httpx.Client, path: str) -> bool:
    """Return whether a server that may still be starting answers 200."""
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def test_the_classrooms_login_sees_the_broker_and_does_not_manage_it(own_kit: Kit) -> None:
    address = own_kit.status()["urls"]["rabbitmq_management"]
    with httpx.Client(base_url=address, auth=("student", "qwerty"), trust_env=False, timeout=40) as person:
        until(lambda: answers(person, "/api/overview"), 30, "the broker's own page answers")
        assert "default" in {queue["name"] for queue in person.get("/api/queues").json()}
        for change in ("/api/users/evil", "/api/vhosts/evil"):
            assert person.put(change, json={"password": "x", "tags": "administrator"}).status_code in (401, 403)


def test_up_a_second_time_restarts_nothing(own_kit: Kit) -> None:
    before = own_kit.status()
    own_kit.command("up")
    after = own_kit.status()
    assert {p["name"]: p["pid"] for p in after["processes"]} == {p["name"]: p["pid"] for p in before["processes"]}
    assert after["urls"] == before["urls"]


def test_scaling_touches_nobody_else_and_the_new_workers_work(own_kit: Kit) -> None:
    before = {p["name"]: p["pid"] for p in own_kit.status()["processes"]}
    own_kit.command("scale", "celery_worker=2", "consumer=3")
    during = {p["name"]: p["pid"] for p in own_kit.status()["processes"]}
    assert set(during) == EVERYTHING | {"celery_worker-2", "consumer-2", "consumer-3"}
    assert {name: during[name] for name in before} == before

    ids = own_kit.submit("raw", "process_task", count=18, args={"task_num": 1, "timeout": 0.5})
    own_kit.all_ended(ids, 30)
    workers = {own_kit.run(run_id)["worker"].partition("/")[0] for run_id in ids}
    assert workers == {"consumer-1", "consumer-2", "consumer-3"}

    own_kit.command("scale", "celery_worker=1", "consumer=1")
    assert {p["name"]: p["pid"] for p in own_kit.status()["processes"]} == before


def test_a_worker_that_goes_finishes_its_job_first(own_kit: Kit) -> None:
    own_kit.command("scale", "consumer=2")
    ids = own_kit.submit("raw", "process_task", count=4, args={"task_num": 1, "timeout": 4})
    until(lambda: own_kit.summary(ids)["in_progress"] == 4, 10, "all four run")
    own_kit.command("scale", "consumer=1")
    counts = own_kit.all_ended(ids, 10)
    assert (counts["done"], counts["retried"], counts["effects"]) == (4, 0, 4)


def test_everything_starts_again_and_accepted_runs_are_done(own_kit: Kit) -> None:
    ids = own_kit.submit("raw", "process_task", count=4, args={"task_num": 1, "timeout": 0.5})
    before = {p["name"]: p["pid"] for p in own_kit.status()["processes"]}
    own_kit.command("restart")
    after = {p["name"]: p["pid"] for p in own_kit.status()["processes"]}

    assert set(after) == set(before)
    assert not {name for name in after if after[name] == before[name]}
    assert own_kit.all_ended(ids, 30)["done"] == 4


def test_a_purge_revokes_what_waits_and_asks_before(own_kit: Kit) -> None:
    later = {"countdown": 600.0, "args": {"task_num": 1, "timeout": 0}}
    ids = [own_kit.submit(lane, "process_task", **later)[0] for lane in ("celery", "raw")]
    (at_work,) = own_kit.submit("raw", "process_task", args={"task_num": 1, "timeout": 3})
    until(lambda: own_kit.run(at_work)["state"] == "IN_PROGRESS", 10, "one run is at work")

    nobody_agrees = own_kit.command("purge", check=False)
    assert nobody_agrees.returncode == 2
    assert "nothing was purged" in nobody_agrees.stderr
    assert [own_kit.run(run_id)["state"] for run_id in ids] == ["PENDING", "PENDING"]
    own_kit.command("purge", "--yes")
    assert [own_kit.run(run_id)["state"] for run_id in ids] == ["REVOKED", "REVOKED"]
    assert own_kit.ended(at_work)["state"] == "DONE"


def test_a_killed_process_is_started_again(own_kit: Kit) -> None:
    pid = own_kit.pid("scheduler")
    os.kill(pid, signal.SIGKILL)
    until(lambda: "scheduler" in names(own_kit) and own_kit.pid("scheduler") not in (0, pid), 15, "a new scheduler")


def test_a_single_process_can_be_stopped_and_started(own_kit: Kit) -> None:
    own_kit.command("down", "scheduler")
    assert "scheduler" not in names(own_kit)
    own_kit.command("up", "scheduler")
    assert names(own_kit) == EVERYTHING


def faults_found(kit: Kit) -> list[dict[str, Any]]:
    """The faults that the doctor finds, without its notes. Its exit status must agree with them."""
    doctor = kit.command("doctor", "--json", check=False)
    faults = [fault for fault in json.loads(doctor.stdout) if not fault["note"]]
    assert doctor.returncode == (1 if faults else 0)
    return faults


def test_the_doctor_is_content_with_a_kit_that_is_well_and_names_what_is_not(own_kit: Kit) -> None:
    assert faults_found(own_kit) == []
    own_kit.command("down", "consumer")
    faults = faults_found(own_kit)
    own_kit.command("up", "consumer")
    assert [fault["check"] for fault in faults] == ["workers"]
    assert "./kit scale consumer=1" in faults[0]["remedy"]


def test_a_second_kit_starts_beside_the_first_and_takes_other_ports(own_kit: Kit, tmp_path: Path) -> None:
    second = Kit(tmp_path / "second")
    try:
        second.command("up", "--private", "rabbitmq", "redis")
        mine, other = own_kit.status()["urls"], second.status()["urls"]
        for name in ("rmq", "redis", "rabbitmq_management"):
            assert urlsplit(mine[name]).port != urlsplit(other[name]).port
        own_kit.command("wait", *own_kit.submit("celery", "debug_task"))
    finally:
        second.command("down")
    assert processes_of(tmp_path / "second") == {}
    assert names(own_kit) == EVERYTHING


def look_around(urls: dict[str, str], run_dir: Path) -> str:
    """A program that looks for servers as `kit up` does. It takes these ports as the standard ones."""
    rmq, redis = urlsplit(urls["rmq"]).port, urlsplit(urls["redis"]).port
    return (
        "from pathlib import Path; from commands.common import state;"
        "from commands.servers import amqp, ports, redis_server;"
        f"ports.PREFERRED.update(rabbitmq={rmq}, redis={redis}); run = state.RunDir(Path({str(run_dir)!r}));"
        "print(amqp.found_on_this_machine(), redis_server.found_on_this_machine(run))"
    )


def run_python(script: str) -> list[str]:
    """Run a program and return the words that it prints."""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()


def test_a_second_kit_does_not_take_the_first_ones_broker_for_a_public_one(own_kit: Kit, tmp_path: Path) -> None:
    script = look_around(own_kit.status()["urls"], tmp_path)
    assert run_python(script) == ["None", "None"]


def test_a_public_broker_is_used_unless_somebody_works_there(own_kit: Kit, tmp_path: Path) -> None:
    urls = own_kit.status()["urls"]
    public = (
        "from commands.servers import amqp, redis_server; amqp.CLUSTER_NAME = redis_server.CONFIG_NAME = 'not a kit';"
    )
    assert run_python(public + look_around(urls, tmp_path))[0] == "None"
    own_kit.command("down", "consumer", "celery_worker")
    found = run_python(public + look_around(urls, tmp_path))
    assert found[0] == urls["rmq"]
    assert found[1].rpartition("/")[0] == urls["redis"].rpartition("/")[0]
    assert found[1] != urls["redis"], "a database that is in use is nobody else's"
    assert run_python(public + look_around(urls, tmp_path))[1] == found[1], "what is ours stays ours"
    own_kit.command("up")


def test_two_starts_at_once_end_in_one_kit(tmp_path: Path) -> None:
    kit = Kit(tmp_path / "twice")
    try:
        starts = [threading.Thread(target=kit.command, args=("up", "--private", "redis")) for _ in range(2)]
        for start in starts:
            start.start()
        for start in starts:
            start.join()
        assert names(kit) == {"redis"}
        assert sum("supervisord" in command for command in processes_of(kit.run_dir).values()) == 1
    finally:
        kit.command("down")


def test_down_leaves_no_process_and_so_no_port_and_no_address(own_kit: Kit) -> None:
    pids = processes_of(own_kit.run_dir)
    assert len(ports_of(list(pids))) >= 7, "RabbitMQ's three, epmd, Redis, the outside world, the API"
    own_kit.down()
    assert processes_of(own_kit.run_dir) == {}
    assert not any(is_alive(pid) for pid in pids)
    assert own_kit.command("status", check=False).returncode == 3
    assert "URL" not in (own_kit.run_dir / "kit.env").read_text()


def test_what_a_killed_supervisor_leaves_behind_is_ended_by_down(tmp_path: Path) -> None:
    kit = Kit(tmp_path / "orphans")
    kit.command("up", "--private", "redis", "rabbitmq")
    supervisord = next(pid for pid, command in processes_of(kit.run_dir).items() if "supervisord" in command)
    os.kill(supervisord, signal.SIGKILL)
    until(lambda: supervisord not in processes_of(kit.run_dir), 5, "supervisord is gone")
    left = processes_of(kit.run_dir)
    assert len(ports_of(list(left))) == 5, "RabbitMQ's three, epmd's and Redis' are still open"

    assert "leftovers" in {fault["check"] for fault in faults_found(kit)}
    kit.command("down")
    assert processes_of(kit.run_dir) == {}
    assert not any(is_alive(pid) for pid in left)


def test_a_server_that_cannot_start_stops_the_start_and_shows_its_log(tmp_path: Path) -> None:
    kit = Kit(tmp_path / "broken", DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/none")
    failed = kit.command("up", "--private", "redis", "api", check=False)
    assert failed.returncode == 4
    assert "DATABASE_URL" in failed.stderr
    assert "secret" not in failed.stderr
    assert "Traceback" not in failed.stderr
    assert processes_of(kit.run_dir) == {}
