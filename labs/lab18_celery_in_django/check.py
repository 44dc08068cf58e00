"""Check of lab 18: put the project together around the student's file, and run the project's own commands."""

from importlib.util import find_spec
from pathlib import Path

from experiments.processes import ROOT, Group, python
from experiments.stage import DidNotHappen
from labs.lab18_celery_in_django.project import assemble
from labs.requirements import last_error
from labs.trial import Trial, often

NEEDS = "labs/lab18_celery_in_django/requirements.txt"
COMMANDS = {"celery": "test_celery", "raw": "test_by_hand"}
EXAMPLES = [f"Car - iteration {number}" for number in (1, 2, 3)]
SOON = 10.0  # seconds for a job that takes some hundredths of a second


def check(trial: Trial) -> None:
    """Do a job in the command, then in a worker. Then look at the connections that the worker keeps open."""
    if find_spec("django") is None:
        raise DidNotHappen(f"this lab needs Django: ./kit exec uv pip install -r {NEEDS}")
    stage = trial.stage
    site = stage.folder / "site"
    assemble(site, {trial.lane: trial.program})
    stage.environment.pop("DJANGO_SETTINGS_MODULE", None)
    stage.environment |= {"PYTHONPATH": f"{site}:{ROOT}", "CELERY_BROKER_URL": stage.broker_url}

    manage(trial, site, COMMANDS[trial.lane], "--message", "Post 1")
    trial.require(
        "without a worker the job is done in the command",
        stage.posts() == ["Processed: Post 1"],
        mistake="The job is not done in the command",
        happened=f"published: {stage.posts()}",
        look=f"manage.py {COMMANDS[trial.lane]}",
    )
    worker = started_worker(trial, site)
    manage(trial, site, COMMANDS[trial.lane], "--async", "--message", "Post 2")
    trial.until(
        lambda: "Processed: Post 2" in stage.posts(),
        "with --async a worker does it",
        seconds=SOON,
        mistake="The worker does not know the app's jobs",
        happened=lambda: f"published: {stage.posts()}; the worker says: {complaint(worker)}",
        look="what the worker has imported when it gets its first message",
    )
    trial.require(
        "it is the worker that does it",
        stage.notes("request", text="Processed: Post 2")[0].pid == worker.pid,
        mistake="The command does what a worker should",
        happened=f"process {stage.notes('request', text='Processed: Post 2')[0].pid} made the request",
        look="the command's --async",
    )
    manage(trial, site, COMMANDS[trial.lane], "--example", "--async")
    trial.until(
        lambda: stage.posts()[2:] == EXAMPLES,
        "the job with more arguments is done",
        seconds=SOON,
        mistake="The worker does not know the app's jobs",
        happened=lambda: f"published: {stage.posts()}; the worker says: {complaint(worker)}",
        look="what the worker has imported when it gets its first message",
    )
    trial.until(
        lambda: not opened(worker, Path(stage.environment["DATABASE"])),
        "when the jobs are done the worker has no database connection open",
        seconds=SOON / 2,
        mistake="It keeps a database connection for ever",
        happened=lambda: (
            f"{SOON / 2:.0f} s after its last job, process {worker.pid} has the database open "
            f"{often(opened(worker, Path(stage.environment['DATABASE'])))}"
        ),
        look="what Django does at the end of a request, and the thread in which the job runs",
    )


def started_worker(trial: Trial, site: Path) -> Group:
    """Start a worker as a README of the project would say, and return when it consumes."""
    if trial.lane == "celery":
        options = ["-P", "threads", "-c", "1", "--loglevel", "info", "--without-gossip", "--without-mingle"]
        worker = trial.stage.start(*python("-m", "celery", "-A", "config", "worker", *options))
    else:
        worker = trial.stage.start(*python(str(site / "manage.py"), "consume"))
    trial.stage.note("started a worker", worker=worker.pid)
    trial.until(
        lambda: trial.consumers() or not worker.is_alive(),
        "the worker consumes the queue 'posts', as Django's settings say",
        seconds=SOON,
        mistake="Django's settings do not reach the worker",
        happened=lambda: f"the queue 'posts' has no consumer; the worker says: {complaint(worker)}",
        look="the place from which the worker gets its settings",
    )
    ended_well(trial, worker, "the worker runs")
    return worker


def manage(trial: Trial, site: Path, *words: str) -> None:
    """Run a command of manage.py to its end."""
    trial.stage.note("sent", command=" ".join(words))
    command = trial.stage.start(*python(str(site / "manage.py"), *words))
    trial.until(lambda: not command.is_alive(), f"manage.py {' '.join(words)} ends", mistake="A command never ends")
    ended_well(trial, command, f"manage.py {' '.join(words)} works")


def ended_well(trial: Trial, program: Group, claim: str) -> None:
    """Require that a program still runs or has ended without an error."""
    trial.require(
        claim,
        program.is_alive() or program.process.returncode == 0,
        mistake="Your program ended by itself",
        happened=complaint(program),
        look="the error in your program, or in what it imports",
    )


def complaint(program: Group) -> str:
    """Return a program's complaint about an unknown job, or else its last error."""
    words = ("unregistered task", "unknown job")
    for line in program.output().splitlines():
        if any(word in line for word in words):
            return line[:200]
    return last_error(program.output(), program.log)[0] if "Traceback" in program.output() else "nothing"


def opened(worker: Group, file: Path) -> int:
    """Return how many file descriptors a process has open on a file."""
    links = []
    for descriptor in Path(f"/proc/{worker.pid}/fd").iterdir():
        try:
            links.append(descriptor.readlink())
        except FileNotFoundError:  # closed meanwhile
            continue
    return links.count(file.resolve())
