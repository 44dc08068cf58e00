"""Check of lab 1: a post takes three seconds to publish. Who does the job, and who waits for it?"""

from labs.trial import Trial

SLOW = 3.0  # seconds that the messenger takes for its answer
SOON = 8.0  # seconds for a message to reach a worker


def check(trial: Trial) -> None:
    """Submit a slow post while a worker runs, and another post while none runs."""
    stage = trial.stage
    worker = trial.worker()
    stage.order_fault("drip", 1, seconds=SLOW)
    trial.call("submit", "Post 1")
    trial.until(
        lambda: stage.count("request", text="Post 1"),
        "the post is worked on",
        seconds=SOON,
        mistake="The job never arrives",
        happened="submit() returned, and no request was made",
        look="what submit() does, and where it sends the job",
    )
    (request,) = stage.notes("request", text="Post 1")
    trial.require(
        "a worker does the job",
        request.pid == worker.pid,
        mistake="The web page does the job itself",
        happened=f"process {request.pid} made the request, the worker is process {worker.pid}",
        look="what submit() calls",
    )
    waited = stage.notes("returned")[0].at - stage.notes("called")[0].at
    trial.require(
        "the visitor does not wait for the job",
        waited < SLOW / 2,
        mistake="The visitor waits for the job",
        happened=f"submit() took {waited:.2f} s, the job {SLOW:.0f} s",
        look="what submit() does once the job is handed over",
    )
    trial.until(
        lambda: stage.posts() == ["Post 1"],
        "the post is published once",
        mistake="The post is not published once",
        happened=lambda: f"published: {stage.posts()}",
        look="how often submit() hands the job over",
    )
    trial.kill(worker)
    trial.call("submit", "Post 2")
    trial.worker()
    trial.until(
        lambda: "Post 2" in stage.posts(),
        "what was submitted while no worker was there is done by the next one",
        mistake="A job is lost when no worker is there",
        happened=lambda: f"published: {stage.posts()}",
        look="where a job waits",
    )
