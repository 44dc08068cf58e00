"""The part of OpenAI's API that the kit uses: chat completions with a JSON schema, and the list of models.

The schema's name (`classify_post`, `car_data`) says which task the "model" has. Without a schema it writes a
description. Reference: https://platform.openai.com/docs/api-reference/chat
"""

import json
import secrets
import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from outside_world import language
from outside_world.error_shapes import json_response, openai_error
from outside_world.world import World

MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-4.1-mini")
MAX_PROMPT = 400_000  # characters


class Refused(Exception):
    """The request is wrong. The message says why."""


def build_router(world: World) -> APIRouter:
    """Return the routes under /openai/v1, for `world`."""
    router = APIRouter(prefix="/openai/v1")

    @router.get("/models")
    async def models() -> Response:
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "stand-in"} for name in MODELS]
        return json_response(200, {"object": "list", "data": data})

    @router.post("/chat/completions")
    async def chat_completions(request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return openai_error(401, "You didn't provide an API key.", "invalid_request_error")
        try:
            body = await request.json()
            answer, task = complete(body)
        except ValueError:
            return openai_error(400, "We could not parse the JSON body of your request.", "invalid_request_error")
        except Refused as refusal:
            return openai_error(400, str(refusal), "invalid_request_error")
        world.count("openai", task)
        if getattr(request.state, "nonsense", False):
            answer = '{"mileage_km": "a lot", "surprise": true}'
        return json_response(200, envelope(body, answer))

    return router


def complete(body: dict[str, Any]) -> tuple[str, str]:
    """Answer a request; return the content of the message, and the task's name for the counters.

    Raises:
        Refused: no messages, too long, streaming, or a schema that the stand-in does not know.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused("Missing required parameter: 'messages'.")
    if body.get("stream"):
        raise Refused("This stand-in cannot stream its answer; leave out 'stream'.")
    question = _content(messages, "user")
    if len(question) > MAX_PROMPT:
        raise Refused("This model's maximum context length is 128000 tokens. Please reduce the messages.")
    schema = (body.get("response_format") or {}).get("json_schema")
    if schema is None:
        return write_description(question), "describe"
    task = TASKS.get(schema.get("name"))
    if task is None:
        raise Refused(f"This stand-in does not know the schema {schema.get('name')!r}; use one of: {', '.join(TASKS)}.")
    return json.dumps(task(question), ensure_ascii=False), schema["name"]


def classify(text: str) -> dict[str, Any]:
    """Return the answer to `classify_post`."""
    verdict = language.classify(text)
    return {"is_sale": verdict.is_sale, "reason": verdict.reason}


def write_description(question: str) -> str:
    """Return the answer to a question without a schema: `{"car": …, "post": …}`, or only a post."""
    try:
        given = json.loads(question)
        return language.describe(given["car"], given["post"])
    except (ValueError, TypeError, KeyError):
        return language.describe(language.extract(question), question)


def envelope(body: dict[str, Any], answer: str) -> dict[str, Any]:
    """Return the answer in OpenAI's envelope. A token is estimated as four characters."""
    asked = sum(len(str(message.get("content", ""))) for message in body["messages"]) // 4 + 1
    answered = len(answer) // 4 + 1
    return {
        "id": "chatcmpl-" + secrets.token_hex(12),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": str(body.get("model", MODELS[0])),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": answer, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": answered,
            "total_tokens": asked + answered,
        },
        "system_fingerprint": "stand-in",
    }


def _content(messages: list[dict[str, Any]], role: str) -> str:
    return "\n".join(str(message.get("content", "")) for message in messages if message.get("role") == role)


TASKS = {"classify_post": classify, "car_data": language.extract}
