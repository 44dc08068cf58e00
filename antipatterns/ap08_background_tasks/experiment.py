"""Five posts are accepted with 200 OK. Then everything is killed and started again."""

import httpx

from antipatterns.experiment import Counts, Due
from experiments.processes import Group, python
from experiments.stage import Stage

NAME = "BackgroundTasks in place of Celery"
BROKERS = ("rabbitmq",)
FIGURE = ("accepted", "published")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"accepted": 5, "begun": 5, "published": 0},
    "fixed": {"accepted": 5, "begun": 10, "published": 5},
}


def run(stage: Stage, module: str) -> Counts:
    """Submit five posts, kill the web server and the worker, start both again, and count what is published."""
    worker = stage.celery(module, pool="prefork", concurrency=5)
    server = web(stage, module)
    with client(stage) as http:
        accepted = [http.post(f"/posts/{number}").status_code for number in range(5)]
    stage.until(lambda: stage.count("holds") == 5, "all five are under way")
    stage.kill(server)
    stage.kill(worker)
    stage.until(lambda: not stage.consumers(), "the broker knows that the worker is gone, and has its posts again")
    stage.let_pass("before the post")
    web(stage, module)
    stage.celery(module, pool="prefork")
    sentinel = stage.send("publish_post", 99)  # behind all posts that came back to the queue
    stage.until(lambda: stage.count("succeeded", id=sentinel), "the worker has come to the end of its queue")
    return {"accepted": accepted.count(200), "begun": stage.count("holds") - 1, "published": len(stage.posts()) - 1}


def web(stage: Stage, module: str) -> Group:
    """Start the web server; return when it answers."""
    socket = stage.folder / "web"
    socket.unlink(missing_ok=True)
    server = stage.start(*python("-m", "uvicorn", f"{module}:web", "--uds", str(socket)))
    stage.until(socket.exists, "the web server listens")
    with client(stage) as http:
        stage.until(lambda: answers(http), "the web server answers")
    return server


def client(stage: Stage) -> httpx.Client:
    """Return an HTTP client for the stage's web server."""
    transport = httpx.HTTPTransport(uds=str(stage.folder / "web"))
    return httpx.Client(transport=transport, base_url="http://web", timeout=10)


def answers(http: httpx.Client) -> bool:
    """Return whether the web server answers."""
    try:
        return http.get("/docs").is_success
    except httpx.TransportError:
        return False


def failed(counts: Counts) -> bool:
    """True if accepted posts were not published."""
    return counts["published"] < counts["accepted"]


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return f"{counts['accepted']} posts were answered with 200 OK, {counts['published']} of them published"
