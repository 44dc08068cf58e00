"""Celery lane: measure what happens to a job on each broker."""

import time
from concurrent.futures import ThreadPoolExecutor

import kombu

from experiments.stage import Stage
from labs.lab16_redis_or_rabbitmq.words import (
    ASIDE,
    BROKERS,
    EARLY,
    FIRST,
    LAST,
    LATE,
    LONG,
    LOST,
    NEXT,
    ONCE,
    PRIORITY,
    TWICE,
    Answers,
)
from labs.trial import Trial

WATCHED = {"rabbitmq": 3.0, "redis": 12.0}  # seconds for a job to begin again; Redis workers look once a second


def on_celery(trial: Trial) -> dict[str, Answers]:
    """Put all questions to both brokers at the same time, each on a stage of its own."""
    with ThreadPoolExecutor(len(BROKERS)) as pool:
        found = dict(zip(BROKERS, pool.map(lambda broker: asked(trial, broker), BROKERS), strict=True))
    return {question: {broker: found[broker][question] for broker in BROKERS} for question in found["redis"]}


def asked(trial: Trial, broker: str) -> Answers:
    """Return one broker's answers."""
    with trial.ground.stage(f"lab16-{broker}", broker) as stage:
        stage.environment["PYTHONPATH"] = trial.stage.environment["PYTHONPATH"]
        answers = killed(stage, trial.program.stem) | overtaken(stage) | outlasted(stage, trial.program.stem)
    for question, answer in answers.items():
        trial.stage.note("measured", broker=broker, question=question, answer=answer)
    return answers


def killed(stage: Stage, program: str) -> Answers:
    """Kill a worker in the middle of two jobs, and start another one. Return what happened to each job."""
    victim = stage.celery(program, concurrency=3)
    send(stage, "sync_sheet", EARLY)
    send(stage, "publish_post", LATE)
    stage.until(lambda: {EARLY, LATE} <= held(stage), "two jobs are at work")
    done(stage, "Post 1")  # by the third thread; the early acknowledgement was sent long before
    stage.kill(victim)
    stage.let_pass(EARLY)
    stage.let_pass(LATE)
    stage.celery(program)
    done(stage, "Post 2")
    return {text: where_is(stage, text) for text in (EARLY, LATE)}


def where_is(stage: Stage, text: str) -> str:
    """Return what happened to a job."""
    if text in stage.posts():
        return NEXT
    return ASIDE if any(text in value.decode() for value in hash_of(stage, "unacked").values()) else LOST


def overtaken(stage: Stage) -> Answers:
    """Send four jobs to a busy worker, the last one with priority 9. Return the place of that one."""
    send(stage, "publish_post", "busy")
    stage.until(lambda: "busy" in held(stage), "the worker is busy")
    texts = ["ordinary 1", "ordinary 2", "ordinary 3", PRIORITY]
    for text in texts:
        stage.let_pass(text)
        send(stage, "publish_post", text, priority=9 if text == PRIORITY else 0)
    stage.let_pass("busy")
    stage.until(lambda: set(texts) <= set(stage.posts()), "all are done")
    order = [text for text in stage.posts() if text in texts]
    return {PRIORITY: {0: FIRST, len(texts) - 1: LAST}.get(order.index(PRIORITY), f"place {order.index(PRIORITY) + 1}")}


def outlasted(stage: Stage, program: str) -> Answers:
    """Start a worker with a visibility timeout of 1 s while a job is at work. Return how often the job is begun."""
    send(stage, "publish_post", LONG)
    stage.until(lambda: LONG in held(stage), "a long job is at work")
    stage.celery(program, VISIBILITY_TIMEOUT="1")
    began = time.monotonic()
    stage.until(
        lambda: stage.count("holds", where=LONG) > 1 or time.monotonic() - began > WATCHED[stage.broker],
        "it is begun again, or time is up",
    )
    return {LONG: TWICE if stage.count("holds", where=LONG) > 1 else ONCE}


def send(stage: Stage, job: str, text: str, priority: int | None = None) -> None:
    """Send a task, on either broker."""
    stage.note("sent", job=job, text=text)
    stage.client.send_task(
        job, kwargs={"text": text}, queue=kombu.Queue("posts"), exchange="", routing_key="posts", priority=priority,
        declare=[],
    )  # fmt: skip


def done(stage: Stage, text: str) -> None:
    """Send a job, and wait until the worker has done it. The worker has then begun all earlier messages, too."""
    stage.let_pass(text)
    send(stage, "publish_post", text)
    stage.until(lambda: text in stage.posts(), f"{text} is published")


def held(stage: Stage) -> set[str]:
    """Return the jobs that were begun."""
    return {note.facts["where"] for note in stage.notes("holds")}


def hash_of(stage: Stage, name: str) -> dict[bytes, bytes]:
    """Return a hash in the stage's Redis."""
    found: dict[bytes, bytes] = stage.redis.hgetall(name)  # type: ignore[assignment]
    return found
