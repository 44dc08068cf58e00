"""Check of lab 5: ask for a post's status in every possible situation."""

from labs.lab05_honest_status.job import in_job
from labs.lab05_honest_status.rows import before_row
from labs.trial import QUEUE, Trial

FIRST, REFUSED, LAST = "Post 1", "", "Post 3"  # the messenger refuses an empty text


def check(trial: Trial) -> None:
    """Bring posts into each situation, hold them there, and ask for their status."""
    stage = trial.stage
    ask(trial, "7f0e-never-submitted", "unknown", "of what was never submitted", "It calls queued what was never sent")

    submitting = trial.begin_call("submit", FIRST)
    stage.until(
        lambda: stage.count("holds", where=before_row(FIRST)) or not submitting.is_alive(),
        "submit() comes to the row, or to its end",
    )
    if stage.count("holds", where=before_row(FIRST)):
        sent = stage.waiting(QUEUE)
        trial.require(
            "no message is sent before there is a row",
            sent == 0,
            mistake="The message is sent before the row is there",
            happened=f"submit() was about to write the row, and {sent} message was in the queue: a worker could have "
            "begun and ended the job before there is a row to write that into",
            look="the order of what submit() does",
        )
    for text in (FIRST, REFUSED, LAST):
        stage.let_pass(before_row(text))
    first = trial.end_call(submitting)
    ask(trial, first, "queued", "of what waits for a worker", "It does not know what it has submitted")

    trial.worker()
    begun(trial, FIRST, "the worker begins with the post", "The job is not begun")
    ask(trial, first, "running", "of what a worker is at", "It does not say that a job runs")

    refused = trial.call("submit", REFUSED)
    stage.let_pass(in_job(FIRST))
    begun(trial, REFUSED, "the worker goes on with the next post", "The worker does not go on")
    ask(trial, first, "done", "of what is published", "It does not say that a job is done")

    trial.call("submit", LAST)
    stage.let_pass(in_job(REFUSED))
    begun(trial, LAST, "the worker goes on after a job that failed", "A job that fails stops the others")
    ask(trial, refused, "failed", "of what the messenger has refused", "It does not say that a job failed")

    stage.let_pass(in_job(LAST))
    trial.until(
        lambda: stage.posts() == [FIRST, LAST],
        "what can be published is published once",
        mistake="Posts are lost or doubled",
        happened=lambda: f"published: {stage.posts()}",
        look="how often a message is sent, and when it is acknowledged",
    )
    stage.redis.flushdb()
    stage.note("everything in Redis has expired")
    ask(trial, first, "done", "of what was done long ago", "It forgets what became of a job")
    ask(trial, refused, "failed", "of what was refused long ago", "It forgets what became of a job")


def ask(trial: Trial, post_id: str, right: str, situation: str, mistake: str) -> None:
    """Require that `status` returns the right answer."""
    answer = trial.call("status", post_id)
    trial.require(
        f"status() says {right!r} {situation}",
        answer == right,
        mistake=mistake,
        happened=f"status() said {answer!r}",
        look="who writes down what happens to a post, and when",
    )


def begun(trial: Trial, text: str, claim: str, mistake: str) -> None:
    """Require that a worker begins this post's job. The job is held before it publishes."""
    trial.until_held(
        in_job(text),
        claim,
        seconds=10.0,
        mistake=mistake,
        happened=lambda: f"{trial.stage.waiting(QUEUE)} wait in the queue {QUEUE!r}; published: {trial.stage.posts()}",
        look="the message, and the place where an exception is raised",
    )
