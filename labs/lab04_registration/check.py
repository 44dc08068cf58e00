"""Check of lab 4: a job from the web page, three known jobs, and an unknown one."""

from labs.trial import QUEUE, Trial, often

DEAD = "posts.dead"
FIRST, LAST = "Post 1", "Post 2"
DONE = ["Ann is charged", "Cars is up to date", FIRST]  # the posts that these jobs make
OFTEN = 3  # deliveries of an unknown message that are allowed; a generous number


def check(trial: Trial) -> None:
    """Send the jobs one after the other, and check where each message ends."""
    stage = trial.stage
    with stage.pika() as channel:
        channel.queue_declare(DEAD, durable=True)
    trial.watch_the_broker()
    trial.worker()
    trial.call("submit", "publish_post", {"text": FIRST})
    trial.until(
        lambda: stage.count("delivered", queue=QUEUE),
        "what the page sends reaches the worker",
        seconds=10.0,
        mistake="The page sends to where no worker listens",
        happened=lambda: f"the page's message went to {sent_to(trial)}; the worker consumes {QUEUE!r}",
        look="which queue submit() sends to, and how it knows",
    )
    trial.send("charge_subscription", customer="Ann")
    trial.send("sync_sheet", sheet="Cars")
    trial.until(
        lambda: sorted(stage.posts()) == DONE,
        "the worker does all three jobs that there are",
        seconds=10.0,
        mistake="The worker does not know a job that exists",
        happened=lambda: (
            f"done: {', '.join(stage.posts()) or 'nothing'}; missing: "
            f"{', '.join(set(DONE) - set(stage.posts()))}; {stage.waiting(DEAD)} among the dead letters"
        ),
        look="what the worker imports or has in its table",
    )
    unknown = trial.send("publish_pots", text="Post 9")
    trial.until(
        lambda: stage.waiting(DEAD) or len(trial.deliveries(unknown)) > OFTEN,
        "a job that nobody knows is kept among the dead letters",
        seconds=10.0,
        mistake="A job that nobody knows is thrown away",
        happened=lambda: (
            f"it was handed out {often(len(trial.deliveries(unknown)))}, {stage.waiting(QUEUE)} wait in "
            f"{QUEUE!r}, {stage.waiting(DEAD)} in {DEAD!r}"
        ),
        look="the answer to the broker for such a message, and where the queue sends a rejected message",
    )
    trial.require(
        "it is not handed out again and again",
        len(trial.deliveries(unknown)) <= OFTEN,
        mistake="It takes an unknown job again and again",
        happened=f"it was handed out {often(len(trial.deliveries(unknown)))} so far",
        look="requeue",
    )
    trial.call("submit", "publish_post", {"text": LAST})
    trial.until(
        lambda: LAST in stage.posts(),
        "the worker goes on afterwards",
        seconds=10.0,
        mistake="A job that nobody knows stops the others",
        happened=lambda: f"published: {stage.posts()}",
        look="whether every message gets its answer",
    )
    trial.require(
        "nothing else is a dead letter, and nothing is done twice",
        (stage.waiting(DEAD), sorted(stage.posts())) == (1, sorted([*DONE, LAST])),
        mistake="A job is done twice, or is a dead letter though it is known",
        happened=f"{stage.waiting(DEAD)} dead letters; done: {', '.join(sorted(stage.posts()))}",
        look="one answer for each message",
    )


def sent_to(trial: Trial) -> str:
    """Return the queues to which messages were published so far, by the broker's own report."""
    places = {note.facts["key"] for note in trial.stage.notes("published", exchange="") if note.facts["id"]}
    return " and ".join(repr(place) for place in sorted(places)) or "no queue at all"
