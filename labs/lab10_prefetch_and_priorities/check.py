"""Check of lab 10: ordinary posts wait behind a video, and an urgent one comes. Later a second worker helps."""

from labs.lab10_prefetch_and_priorities.video import desk
from labs.trial import Trial

ORDINARY = [f"Post {number}" for number in range(1, 7)]
SUBMITTED = "Post 7"  # also ordinary, but sent by the program's own submit()
MORE = [f"Post {number}" for number in range(8, 12)]
URGENT = "Recall: brakes"
SECONDS = 10.0  # limit for a step that takes one second


def check(trial: Trial) -> None:
    """Check the posts that a busy worker takes, the place of the urgent post, and the posts for an idle worker."""
    trial.watch_the_broker()
    trial.worker(pool="prefork")
    urgent_post(trial)
    idle_worker(trial)


def urgent_post(trial: Trial) -> None:
    """Let seven ordinary posts wait behind a video, then send an urgent one."""
    stage = trial.stage
    keep_busy(trial, "Video 1")
    ids = [trial.send("publish_post", text=text, priority=0) for text in ORDINARY]
    trial.call("submit", SUBMITTED, False)
    taken = sum(bool(trial.deliveries(each)) for each in ids)
    trial.require(
        "a busy worker takes nothing that it cannot begin with",
        taken == 0,
        mistake="A busy worker takes one post in advance" if taken == 1 else "A busy worker takes posts in advance",
        happened=f"it is at Video 1, and has taken {taken} of {len(ids)} ordinary posts",
        look="how many unacknowledged messages a worker may have, and when it acknowledges",
    )
    trial.call("submit", URGENT, True)
    stage.let_pass(desk("Video 1"))
    trial.until(
        lambda: set(stage.posts()) >= {"Video 1", URGENT, *ORDINARY, SUBMITTED},
        "all are published",
        seconds=SECONDS,
        mistake="A post is not published",
        happened=lambda: f"published: {stage.posts()}",
        look="the message that submit() sends, and its queue",
    )
    before = stage.posts()[: stage.posts().index(URGENT)]
    trial.require(
        "the urgent post overtakes those that wait",
        not set(before) & set(ORDINARY),
        mistake="The urgent post waits in line",
        happened=f"it came as number {len(before) + 1} of {len(stage.posts())}",
        look="the queue's declaration: does it have priorities? And the priority of the message",
    )
    trial.require(
        "the others keep their order",
        stage.posts() == ["Video 1", URGENT, *ORDINARY, SUBMITTED],
        mistake="Ordinary posts overtake each other",
        happened=f"published: {stage.posts()}",
        look="the priority of the posts that are not urgent",
    )


def idle_worker(trial: Trial) -> None:
    """Let four posts wait behind another video. A second worker must find all of them."""
    stage = trial.stage
    keep_busy(trial, "Video 2")
    for text in MORE:
        trial.send("publish_post", text=text, priority=0)
    trial.worker(pool="prefork")
    trial.until(
        lambda: set(stage.posts()) >= set(MORE),
        "what waits behind a busy worker is done by an idle one",
        seconds=SECONDS,
        mistake="A busy worker keeps posts from an idle one",
        happened=lambda: f"the idle worker did {len(set(stage.posts()) & set(MORE))} of {len(MORE)}",
        look="how many unacknowledged messages a worker may have",
    )
    stage.let_pass(desk("Video 2"))
    trial.until(
        lambda: sorted(stage.posts()) == sorted(["Video 1", "Video 2", URGENT, *ORDINARY, SUBMITTED, *MORE]),
        "every post is published once in the end",
        seconds=SECONDS,
        mistake="A post is lost or published twice",
        happened=lambda: f"published: {stage.posts()}",
        look="how often each message is acknowledged",
    )


def keep_busy(trial: Trial, video: str) -> None:
    """Give the worker a video, and wait until it converts it."""
    trial.send("publish_post", text=video, priority=0)
    trial.until_held(
        desk(video), "the worker is busy with a video", seconds=SECONDS,
        mistake="Nothing is worked on", happened=f"no worker converted {video}", look="what publish_post does",
    )  # fmt: skip
