"""Features: the table of what Celery does for a job, and what the raw lane does by hand, in a sentence each.

`parity.py` finds the code of each feature.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """A row of the table: one sentence for each lane."""

    name: str
    celery: str
    raw: str


FEATURES = (
    Feature(
        "registration and dispatch",
        "`app.task` registers a function under its name; the worker looks up the message's task and calls it",
        "the worker looks up the message's `type` in the catalogue; `execute` calls the function",
    ),
    Feature(
        "JSON only, validated",
        "`accept_content` refuses a pickle unread. The kit checks the fields that Celery trusts unchecked. "
        "The shared `Job.bind` checks the arguments",
        "content type, size, depth, id and job are checked before anything runs. "
        "The shared `Job.bind` checks the arguments",
    ),
    Feature(
        "routing to queues",
        "`task_queues` declares the queues, `task_routes` chooses the queue of each task",
        "a direct exchange, bound to one queue per name",
    ),
    Feature(
        "ack after the outcome is durable",
        "`task_acks_late`: the worker acknowledges after the task has returned",
        "after the commit of the outcome, the main thread hands the delivery tag to the connection's thread",
    ),
    Feature(
        "prefetch",
        "`worker_prefetch_multiplier` 1: with late acks a worker holds one message per child. While jobs are short, a "
        "step of Celery's consumer adds three per child. When a job is long, the worker gives waiting messages back",
        "one message per child and queue, a hundred while jobs are short. When a job is long, the child gives waiting "
        "messages back",
    ),
    Feature(
        "confirmed, mandatory publishing",
        "`confirm_publish` with timeouts, and `mandatory`; one round trip per message",
        "confirms are pipelined; with `mandatory` an unroutable message comes back and does not count as confirmed",
    ),
    Feature(
        "retries with backoff and jitter",
        "`self.retry(countdown=…)` publishes the task again; during a long wait the run is in the outbox",
        "the worker publishes the message into the delay queues, waits for the confirm, and acknowledges the original",
    ),
    Feature(
        "countdown/ETA",
        (
            "the run waits in the outbox, and its message is published when it is due. Celery's own `countdown=` is "
            "not used, because a worker then holds the message in memory until it is due"
        ),
        "binary delay levels: 24 queues whose TTL dead-letters one level down; no worker holds the message",
    ),
    Feature(
        "priorities",
        "`x-max-priority` on the queue, `priority=` on the message; needs prefetch 1",
        "the same queue argument and message property; read-ahead ends as soon as jobs are long",
    ),
    Feature("message TTL", "`x-message-ttl` on the queue", "`x-message-ttl` on the queue"),
    Feature(
        "global rate limit",
        "the shared sliding window in Redis. Celery's own `rate_limit` is per worker, so it is not used",
        "the shared sliding window in Redis",
    ),
    Feature(
        "soft and hard time limits",
        "`soft_time_limit` raises an error in the child, `time_limit` kills it; the parent settles run and message",
        "an alarm raises an error in the child. The parent reads a slot of shared memory, records the outcome and "
        "kills the child",
    ),
    Feature(
        "lost-child handling",
        "`task_reject_on_worker_lost`: the message of a killed child goes back to the queue. The parent records the "
        "loss in the run's row",
        "each child has its own connection. It closes when the child dies, so the broker delivers the message again",
    ),
    Feature(
        "poison-message limit",
        (
            "`execute` counts the attempt in the run's row before it starts; the parent settles a redelivered message "
            "whose run has ended"
        ),
        "`execute` counts the attempt in the run's row before it starts",
    ),
    Feature(
        "dead letters with replay",
        "`x-dead-letter-exchange`; the worker rejects the message of a failed task instead of acknowledging it",
        "the worker publishes the message to the dead-letter exchange with the reason in a header. After the confirm "
        "it acknowledges",
    ),
    Feature(
        "results",
        "the runs table, and a result backend for `.get()` on tasks sent by hand",
        "the runs table; `GET /api/runs/{id}?wait=30` is its `.get()`",
    ),
    Feature(
        "revoke",
        "the run's row becomes REVOKED, and a broadcast terminates the child that executes it",
        "the run's row becomes REVOKED; the parent reads the rows once a second and kills the child that executes it",
    ),
    Feature(
        "schedule",
        "Beat; the run's id is made from schedule and due time, so two Beats make one run",
        "a scheduler with crontab lines and a leader's lease; the run's id is made from schedule and due time",
    ),
    Feature(
        "workflow",
        "`chain(…)`: the message carries the steps that follow; the worker publishes the next",
        "the message carries the steps that follow; the next run is accepted in the outcome's transaction",
    ),
    Feature(
        "recycling children",
        "`worker_max_tasks_per_child`",
        "a child that has executed its number of jobs ends; the parent forks another",
    ),
    Feature(
        "warm and cold shutdown",
        "built in: after SIGTERM the worker finishes the running tasks; SIGQUIT or a second signal ends it at once",
        "the parent passes SIGTERM on to the children; after SIGQUIT or a second signal it kills them",
    ),
    Feature(
        "reconnect",
        "built in; with `broker_connection_max_retries` None it never gives up",
        "a loop around the connection, with capped and jittered pauses",
    ),
    Feature(
        "inspect/status",
        "`control.inspect()` asks the workers by broadcast; Flower listens to their events",
        "every parent writes the present jobs of its children to Redis once a second",
    ),
    Feature(
        "structured logs with the run id",
        "a formatter adds the task's id, which is the run's id, to every line",
        "a formatter adds the present run's id to every line",
    ),
)
BY_NAME = {feature.name: feature for feature in FEATURES}
