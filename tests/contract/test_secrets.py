"""Secrets that must not appear in any log: keys, tokens, passwords, the secret that signs reports."""

import pytest

from tests.kit import Kit, until

pytestmark = pytest.mark.thorough

SECRETS = {
    "KIT_SECRET": "the-secret-that-signs",
    "OPENAI_API_KEY": "sk-of-somebody",
    "TELEGRAM_BOT_TOKEN": "123456:token-of-a-bot",
}


def published(kit: Kit, lane: str) -> bool:
    """Return whether a post has gone out."""
    reply = kit.http.get("/api/runs", params={"lane": lane, "job": "publish_post", "state": "DONE"})
    return bool(reply.json()["runs"])


def test_no_log_of_a_running_kit_holds_a_secret(own_kit: Kit) -> None:
    own_kit.command("import", "data/result.json")
    ids = []
    for lane in ("celery", "raw", "inline"):
        for post in range(1, 7):
            ids += own_kit.submit(lane, "process_post", args={"post_id": post, "publish_to": f"@{lane}"})
        ids += own_kit.submit(lane, "health_check") + own_kit.submit(lane, "break_down")
        ids += own_kit.submit(lane, "sync_channels")
    own_kit.all_ended(ids, 60)
    for lane in ("celery", "raw", "inline"):  # otherwise no job would have used the keys
        until(lambda lane=lane: published(own_kit, lane), 20, f"{lane} has published something")
    own_kit.command("restart", "rabbitmq")  # every process logs that its connection is gone, and to which address
    own_kit.all_ended(own_kit.submit("celery", "debug_task") + own_kit.submit("raw", "debug_task"), 60)
    logs = {path.name: path.read_text(errors="replace") for path in (own_kit.run_dir / "logs").iterdir()}

    assert "ZeroDivisionError" in logs["celery_worker-1.log"] + logs["consumer-1.log"], "the logs are those that matter"
    told = [
        f"{name}: {line[:200]}"
        for name, text in logs.items()
        for line in text.splitlines()
        if any(secret in line for secret in (*SECRETS.values(), "qwerty"))
    ]
    assert told == []
