"""Example arguments for the page's forms and for /docs: they work as they are, so a visitor can press Send at once.

An argument without an example here gets its default, or else a value of its type.
"""

from typing import Any

from cars_bot.catalogue import Job

CAR = "Продаю Kia Rio 2017, пробег 98 тыс. км, Казань, 890 000 ₽, +7 917 222-33-44"

EXAMPLES: dict[str, dict[str, Any]] = {
    "process_task": {"task_num": 1, "timeout": 2},
    "process_data": {"data_id": 1, "seconds": 2},
    "test_task": {"message": "Hello, queue"},
    "example_async_task": {"name": "demo", "count": 3},
    "process_post": {"post_id": 1},
    "classify_post": {"text": CAR},
    "extract_data": {"text": CAR},
    "generate_description": {"text": CAR},
    "publish_post": {"post_id": 1},
    "send_contact_info": {"post_id": 1, "subscriber": "@student"},
    "log_to_sheets": {"event": "hello", "details": "from the page"},
}

_OF_TYPE: dict[str, Any] = {"integer": 1, "number": 1, "string": "text", "boolean": True, "array": [], "object": {}}


def arguments(job: Job) -> dict[str, Any]:
    """Return example arguments by name: the required ones, and all that `EXAMPLES` has."""
    schema = job.arguments.model_json_schema()
    known = EXAMPLES.get(job.name, {})
    required = schema.get("required", [])
    return {
        name: known[name] if name in known else _OF_TYPE.get(field.get("type", ""), "text")
        for name, field in schema.get("properties", {}).items()
        if name in known or name in required
    }
