"""A worker is busy with a video. Ordinary posts wait, an urgent one comes; then a second worker comes to help."""

from labs.lab10_prefetch_and_priorities.video import desk
from labs.trial import Trial

ORDINARY = [f"Post {number}" for number in range(1, 7)]
SUBMITTED = "Post 7"  # ordinary, too, but sent by the program's own submit()
MORE = [f"Post {number}" for number in range(8, 12)]
URGENT = "Recall: brakes"
SECONDS = 10.0  # for a step that takes one


def check(trial: Trial) -> None:
    """Look what a busy worker takes, when the urgent post has its turn, and what an idle worker finds."""
    trial.watch_the_broker()
    trial.worker(pool="prefork")
    urgent_post(trial)
    idle_worker(trial)


def urgent_post(trial: Trial) -> None:
    """Seven ordinary posts wait behind a video, then comes an urgent one."""
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
        look="what submit() sends, and where",
    )
    before = stage.posts()[: stage.posts().index(URGENT)]
    trial.require(
        "the urgent post overtakes those that wait",
        not set(before) & set(ORDINARY),
        mistake="The urgent post waits in line",
        happened=f"it came as number {len(before) + 1} of {len(stage.posts())}",
        look="whether the queue was declared with priorities, and which one the message has",
    )
    trial.require(
        "the others keep their order",
        stage.posts() == ["Video 1", URGENT, *ORDINARY, SUBMITTED],
        mistake="Ordinary posts overtake each other",
        happened=f"published: {stage.posts()}",
        look="which priority those have that are not urgent",
    )


def idle_worker(trial: Trial) -> None:
    """Four posts wait behind another video; a second worker finds all of them."""
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
    """Give the worker a video."""
    trial.send("publish_post", text=video, priority=0)
    trial.until(
        lambda: trial.stage.count("holds", where=desk(video)), "the worker is busy with a video", seconds=SECONDS,
        mistake="Nothing is worked on", happened=f"nobody converted {video}", look="what publish_post does",
    )  # fmt: skip
