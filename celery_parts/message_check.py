"""Check of a message: it must have the shape that Celery trusts unchecked."""

import math
from typing import Any

from cars_bot.boundary import arguments
from cars_bot.errors import InvalidArguments
from celery_parts.mended_kombu import UNREADABLE

RUN_ID_LENGTH = 36  # characters of an id in the runs table
MAX_CARRIED = 15 * arguments.MAX_BYTES  # bytes of a body; a workflow's message has the arguments once for each step
MAX_TEXT = 256  # characters of a header that Celery reads

# feature: JSON only, validated
# Celery uses these headers unchecked, if they are there.
HEADERS: dict[str, type | tuple[type, ...]] = {
    "root_id": str, "parent_id": str, "group": str, "shadow": str, "eta": str, "expires": str, "origin": str,
    "ignore_result": bool, "group_index": int, "replaced_task_nesting": int,
    "stamped_headers": list, "stamps": dict, "timelimit": list,
}  # fmt: skip
MAX_RETRIES = 1_000_000


def why_no_task(message: Any) -> str:
    """Return the reason why a message is not a task in Celery's protocol 2, or "" if it is one."""
    headers = message.headers
    if not isinstance(headers, dict) or UNREADABLE in headers:
        return f"it cannot be read: {(headers or {}).get(UNREADABLE)}"
    if message.content_encoding not in (None, "utf-8"):
        return f"content encoding {message.content_encoding!r}; only utf-8 is read"
    if len(message.body or "") > MAX_CARRIED:
        return f"{len(message.body):,} bytes, over {MAX_CARRIED:,}"
    run_id = headers.get("id")
    if not (isinstance(headers.get("task"), str) and isinstance(run_id, str) and 0 < len(run_id) <= RUN_ID_LENGTH):
        return "its headers name no task, or no id of 1 to 36 characters"
    for name, kind in HEADERS.items():
        value = headers.get(name)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, str) and len(value) > MAX_TEXT)):
            return f"its header {name!r} is {str(value)[:40]!r}"
    if not _are_limits(headers.get("timelimit") or [None, None]):
        return f"its time limits are {str(headers['timelimit'])[:40]}; give seconds above 0, or none"
    retries = headers.get("retries") or 0
    if not (isinstance(retries, int) and 0 <= retries <= MAX_RETRIES):
        return f"its retries are {str(retries)[:40]!r}"
    try:
        return _why_no_body(message.payload, len(message.body))  # this decodes it; Celery does not decode it again
    except InvalidArguments as error:
        return str(error)
    except Exception as error:
        return f"its body is no JSON: {error!r}"


def _are_limits(limits: list[Any]) -> bool:
    """True for [hard, soft] above 0, or None. Celery takes 0 as no limit, and requeues a run that it kills at once."""
    return len(limits) == 2 and all(
        limit is None or (isinstance(limit, int | float) and limit is not True and math.isfinite(limit) and limit > 0)
        for limit in limits
    )


def _why_no_body(payload: Any, size: int) -> str:
    if not (isinstance(payload, list | tuple) and len(payload) == 3):
        return "its body is not [positional, named, the rest]"
    positional, named, rest = payload
    if not (isinstance(positional, list) and isinstance(named, dict) and isinstance(rest, dict)):
        return "its body is not [positional, named, the rest]"
    arguments.check_shape(named)
    arguments.check_shape(positional)
    if size > arguments.MAX_BYTES:  # Celery writes a Cyrillic letter as six bytes, and the arguments once for each step
        arguments.check({"positional": positional, "named": named} if positional else named)
    arguments.check_shape(rest, 2 * arguments.MAX_DEPTH)
    for name in ("callbacks", "errbacks", "chain"):
        if not _are_signatures(rest.get(name) or []):
            return f"{name!r} in its body are no tasks"
    if not _are_signatures([rest["chord"]] if rest.get("chord") else []):
        return "'chord' in its body is no task"
    unknown = rest.keys() - {"callbacks", "errbacks", "chain", "chord"}
    return f"its body has {sorted(unknown)[:3]} beside the arguments" if unknown else ""


def _are_signatures(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("task"), str)
        and isinstance(each.get("args") or [], list)
        and all(isinstance(each.get(name) or {}, dict) for name in ("kwargs", "options"))
        for each in value
    )


# end
