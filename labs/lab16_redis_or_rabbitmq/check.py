"""Check of lab 16: put each question to RabbitMQ and to Redis, and compare the results with the program's answers."""

from labs.lab16_redis_or_rabbitmq.by_hand import by_hand
from labs.lab16_redis_or_rabbitmq.on_celery import on_celery
from labs.lab16_redis_or_rabbitmq.words import ALONE, BROKERS, EARLY, LATE, LONG, NOWHERE, PRIORITY
from labs.trial import Trial

MISTAKES = {
    (EARLY, "rabbitmq"): "It expects an acknowledged job to come back",
    (EARLY, "redis"): "It expects an acknowledged job to come back",
    (LATE, "rabbitmq"): "It expects RabbitMQ not to notice that a worker died",
    (LATE, "redis"): "It expects Redis to notice that a worker died",
    (PRIORITY, "rabbitmq"): "It has priorities upside down on RabbitMQ",
    (PRIORITY, "redis"): "It has priorities upside down on Redis",
    (LONG, "rabbitmq"): "It sees a visibility timeout where there is none",
    (LONG, "redis"): "It forgets the visibility timeout",
    (ALONE, "rabbitmq"): "It expects RabbitMQ not to notice that a worker died",
    (ALONE, "redis"): "It expects Redis to notice that a worker died",
    (NOWHERE, "rabbitmq"): "It expects RabbitMQ to make a queue of a message",
    (NOWHERE, "redis"): "It expects Redis to know which queues there are",
}


def check(trial: Trial) -> None:
    """Measure both brokers, then compare question by question."""
    said = trial.call("answers")
    measured = on_celery(trial) if trial.lane == "celery" else by_hand(trial)
    for question, answers in measured.items():
        for broker in BROKERS:
            given = said.get(question, {}).get(broker)
            trial.require(
                f"{question}, {broker}: it says what was measured",
                given == answers[broker],
                mistake=MISTAKES[question, broker],
                happened=f"measured: {answers[broker]}; your answer: {given}",
                look="answers() in your program",
            )
