"""The main job, the whole way: a Telegram export goes in, posts come out in a channel."""

import json
from pathlib import Path

from tests.kit import Kit

EXPORT = {
    "name": "Contract test cars",
    "type": "public_channel",
    "id": 1,
    "messages": [
        {"id": 1, "type": "service", "action": "create_channel", "text": ""},
        {"id": 2, "type": "message",
         "text": "Продаю Kia Rio 2017 г.в., пробег 98 000 км, цена 890 000 руб. Казань, 8 917 222-33-44"},
        {"id": 3, "type": "message", "text": ["Шиномонтаж 24 часа, ", {"type": "phone", "text": "+7 912 345-67-89"}]},
        {"id": 4, "type": "message", "text": ""},
    ],
}  # fmt: skip


def test_posts_travel_from_an_export_to_a_channel(kit: Kit, any_lane: str, tmp_path: Path) -> None:
    export = tmp_path / "result.json"
    export.write_text(json.dumps(EXPORT, ensure_ascii=False), encoding="utf-8")
    imported = kit.http.post("/api/posts", content=export.read_bytes(), headers={"Content-Type": "application/json"})
    assert imported.status_code in (200, 201, 202), imported.text
    channel = f"@contract_{any_lane}"

    done = kit.command("process", str(export), "--lane", any_lane, "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]

    assert [(row["id"], row["is_sale"]) for row in rows] == [(2, True), (3, False), (4, False)]
    car = rows[0]
    assert (car["make"], car["model"], car["year"], car["mileage_km"]) == ("Kia", "Rio", 2017, 98_000)
    assert (car["price"], car["currency"], car["city"], car["phones"]) == (890_000, "RUB", "Kazan", ["+79172223344"])
    assert rows[1]["make"] is None

    post_id = kit.http.get("/api/runs", params={"job": "process_post", "lane": any_lane, "limit": 100}).json()["runs"]
    sale = next(run["result"]["post_id"] for run in post_id if run["result"]["is_sale"])
    process = kit.submit(any_lane, "process_post", args={"post_id": sale, "publish_to": channel})[0]
    assert kit.ended(process)["state"] == "DONE"
    publish = kit.http.get("/api/runs", params={"job": "publish_post", "lane": any_lane}).json()["runs"][0]
    assert publish["parent"] == process
    assert kit.ended(publish["id"])["state"] == "DONE"
    assert [message["text"].splitlines()[0] for message in kit.channel(channel)] == ["🚗 Kia Rio, 2017"]


def test_a_post_is_published_to_a_channel_only_once(kit: Kit, any_lane: str) -> None:
    body = json.dumps(EXPORT | {"name": "Once only"}, ensure_ascii=False).encode()
    kit.http.post("/api/posts", content=body, headers={"Content-Type": "application/json"})
    listed = kit.http.get("/api/runs", params={"job": "process_post", "lane": any_lane, "limit": 100}).json()["runs"]
    sale = next(run["result"]["post_id"] for run in listed if (run["result"] or {}).get("is_sale"))
    channel = f"@once_{any_lane}"

    ids = [kit.submit(any_lane, "publish_post", args={"post_id": sale, "channel": channel})[0] for _ in range(3)]
    kit.all_ended(ids, 30)

    assert len(kit.channel(channel)) == 1
