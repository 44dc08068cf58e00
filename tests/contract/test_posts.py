"""The main job, the whole way: a Telegram export goes in, posts come out in a channel."""

import json
from pathlib import Path
from typing import Any

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


def process(kit: Kit, lane: str, folder: Path) -> list[dict[str, Any]]:
    """Let a lane process the export. Return the lines that the command prints."""
    export = folder / "result.json"
    export.write_text(json.dumps(EXPORT, ensure_ascii=False), encoding="utf-8")
    done = kit.command("process", str(export), "--lane", lane, "--json")
    return [json.loads(line) for line in done.stdout.splitlines()]


def sale(kit: Kit, lane: str) -> int:
    """The id of the post that offers a car. Call it after `process`."""
    listed = kit.http.get("/api/runs", params={"job": "process_post", "lane": lane, "limit": 100}).json()["runs"]
    return next(int(run["result"]["post_id"]) for run in listed if (run["result"] or {}).get("is_sale"))


def test_an_export_is_read_by_a_lane(kit: Kit, any_lane: str, tmp_path: Path) -> None:
    rows = process(kit, any_lane, tmp_path)

    assert [(row["id"], row["is_sale"]) for row in rows] == [(2, True), (3, False), (4, False)]
    car = rows[0]
    assert (car["make"], car["model"], car["year"], car["mileage_km"]) == ("Kia", "Rio", 2017, 98_000)
    assert (car["price"], car["currency"], car["city"], car["phones"]) == (890_000, "RUB", "Kazan", ["+79172223344"])
    assert rows[1]["make"] is None


def test_a_post_that_offers_a_car_goes_on_to_the_channel_by_itself(kit: Kit, any_lane: str, tmp_path: Path) -> None:
    process(kit, any_lane, tmp_path)
    channel = f"@contract_{any_lane}"

    first = kit.submit(any_lane, "process_post", args={"post_id": sale(kit, any_lane), "publish_to": channel})[0]
    assert kit.ended(first)["state"] == "DONE"
    second = kit.http.get("/api/runs", params={"job": "publish_post", "lane": any_lane}).json()["runs"][0]
    assert second["parent"] == first
    assert kit.ended(second["id"])["state"] == "DONE"
    assert [message["text"].splitlines()[0] for message in kit.channel(channel)] == ["🚗 Kia Rio, 2017"]


def test_a_post_is_published_to_a_channel_only_once(kit: Kit, any_lane: str, tmp_path: Path) -> None:
    process(kit, any_lane, tmp_path)
    channel = f"@once_{any_lane}"

    args = {"post_id": sale(kit, any_lane), "channel": channel}
    ids = [kit.submit(any_lane, "publish_post", args=args)[0] for _ in range(3)]
    kit.all_ended(ids, 30)

    assert len(kit.channel(channel)) == 1
