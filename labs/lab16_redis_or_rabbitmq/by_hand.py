"""Raw lane: measure what happens to a message on each broker, and test the program's Redis half."""

import json

from experiments.processes import Group, python
from experiments.stage import Stage
from labs.lab16_redis_or_rabbitmq.words import ALONE, ASIDE, LOST, NOWHERE, QUEUE, Answers
from labs.trial import Trial, often


def by_hand(trial: Trial) -> dict[str, Answers]:
    """Return the measured answer to each question, and require that the program's Redis half works."""
    stage = trial.stage
    worker = trial.worker(BROKER="rabbitmq", WORKER="a")
    trial.send("publish_post", text="Post 1")
    begins(trial, "Post 1")
    trial.kill(worker)
    back = "on RabbitMQ the killed worker's message is in the queue"
    early = "It acknowledges before the work on RabbitMQ"
    trial.until(
        lambda: stage.waiting("posts") == 1, back, mistake=early, seconds=8.0,
        happened="the queue is empty", look="publish_post()",
    )  # fmt: skip
    stage.let_pass("Post 1")
    trial.worker(BROKER="rabbitmq", WORKER="a")
    published(trial, "Post 1", early, "on_rabbitmq()")
    with stage.pika() as channel:
        channel.basic_publish("", "nowhere", b"{}")
    stage.redis.lpush("nowhere", "{}")
    nowhere = {
        "rabbitmq": QUEUE if stage.has_queue("nowhere") else LOST,
        "redis": QUEUE if length(stage, "nowhere") else LOST,
    }
    stage.redis.delete("nowhere")
    return {ALONE: {"rabbitmq": QUEUE, "redis": killed_on_redis(trial)}, NOWHERE: nowhere}


def killed_on_redis(trial: Trial) -> str:
    """Return where a message is after its worker was killed. Require that it is done in the end, and only once."""
    stage = trial.stage
    victim = start(trial, "a")
    push(trial, "Post 2")
    begins(trial, "Post 2")
    trial.kill(victim)
    where = QUEUE if length(stage, "posts") else ASIDE if stage.redis.keys() else LOST
    stage.let_pass("Post 2")
    start(trial, "a")
    published(trial, "Post 2", "A killed worker's job is lost on Redis", "where the message is while it is worked on")
    push(trial, "Post 3")
    begins(trial, "Post 3")
    start(trial, "b")
    stage.let_pass("Post 4")
    push(trial, "Post 4")
    trial.until(
        lambda: "Post 4" in stage.posts() or stage.count("holds", where="Post 3") > 1,
        "a second worker takes from Redis too",
        mistake="A second worker does nothing on Redis",
        happened=lambda: f"published: {stage.posts()}",
        look="the list from which it takes messages",
    )
    trial.require(
        "a worker that starts leaves alone what others are at",
        stage.count("holds", where="Post 3") == 1,
        mistake="A worker that starts takes the job of one that is alive",
        happened=f"worker 'a' was at 'Post 3' when worker 'b' was started; it was begun "
        f"{often(stage.count('holds', where='Post 3'))}",
        look="the messages that a starting worker puts back: whose are they?",
    )
    stage.let_pass("Post 3")
    published(trial, "Post 3", "A job is not done on Redis", "on_redis()")
    trial.until(
        lambda: not stage.redis.keys(),
        "what is done is nowhere in Redis any more",
        seconds=5.0,
        mistake="What is done stays in Redis and will be done again",
        happened=lambda: f"left in Redis: {stage.redis.keys()}",
        look="the line that takes a message out of the list of jobs at work",
    )
    posts = sorted(stage.posts())
    trial.require(
        "every post is published once",
        posts == [f"Post {number}" for number in range(1, 5)],
        mistake="Posts are lost or doubled",
        happened=f"published: {posts}",
        look="on_redis()",
    )
    return where


def start(trial: Trial, name: str) -> Group:
    """Start the Redis half of the program."""
    worker = trial.stage.start(*python(str(trial.program)), BROKER="redis", WORKER=name)
    trial.stage.note("started a worker", worker=worker.pid, name=name)
    return worker


def push(trial: Trial, text: str) -> None:
    """Send a post through Redis."""
    trial.stage.note("sent", job="publish_post", text=text)
    trial.stage.redis.lpush("posts", json.dumps({"text": text}))


def begins(trial: Trial, text: str) -> None:
    """Wait until a job is at work."""
    trial.until_held(
        text, f"{text} is begun", mistake="A job is never begun",
        happened="no worker took the message", look="the queue or list from which the program takes its messages",
    )  # fmt: skip


def published(trial: Trial, text: str, mistake: str, look: str) -> None:
    """Require that a post is published."""
    trial.until(
        lambda: text in trial.stage.posts(),
        f"{text} is published",
        seconds=8.0,
        mistake=mistake,
        happened=lambda: (
            f"begun {often(trial.stage.count('holds', where=text))}, published: {trial.stage.posts()}; "
            f"left in Redis: {trial.stage.redis.keys()}"
        ),
        look=look,
    )


def length(stage: Stage, name: str) -> int:
    """Return the number of messages in a Redis list."""
    return int(stage.redis.llen(name))
