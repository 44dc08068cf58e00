"""The part of Telegram's Bot API that the kit uses: getMe, sendMessage, sendPhoto.

Limits and error texts are Telegram's own. Reference: https://core.telegram.org/bots/api
"""

import re
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from outside_world.error_shapes import json_response, telegram_error
from outside_world.telegram.markup import BadMarkup, plain_text
from outside_world.world import World

TOKEN = re.compile(r"\d+:[\w-]{3,}")
CHAT = re.compile(r"@[A-Za-z]\w{2,}|-?\d+")
MAX_TEXT, MAX_CAPTION = 4096, 1024


class Refused(Exception):
    """The request is wrong. The message is Telegram's description of the reason."""


def build_router(world: World) -> APIRouter:
    """Return the routes under /telegram, for `world`."""
    router = APIRouter(prefix="/telegram")

    @router.api_route("/bot{token}/{method}", methods=["GET", "POST"])
    async def call(token: str, method: str, request: Request) -> Response:
        if not TOKEN.fullmatch(token):
            return telegram_error(401, "Unauthorized")
        handler = METHODS.get(method.lower())
        if handler is None:
            return telegram_error(404, "Not Found")
        world.count("telegram", method)
        try:
            result = handler(world, await read_parameters(request))
        except Refused as refusal:
            return telegram_error(400, f"Bad Request: {refusal}")
        return json_response(200, {"ok": True, "result": result})

    return router


async def read_parameters(request: Request) -> dict[str, Any]:
    """Return the parameters of the query string and of a JSON, form or multipart body, as the Bot API takes them."""
    parameters: dict[str, Any] = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        parameters.update(await request.json())
    elif request.method == "POST":
        parameters.update(await request.form())
    return parameters


def get_me(world: World, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the description of this bot."""
    return {
        "id": 1,
        "is_bot": True,
        "first_name": "Cars Bot",
        "username": "cars_stand_in_bot",
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def send_message(world: World, parameters: dict[str, Any]) -> dict[str, Any]:
    """Post a text."""
    chat = _chat(parameters)
    text = _marked_up(parameters, "text")
    if not text.strip():
        raise Refused("message text is empty")
    if len(text) > MAX_TEXT:
        raise Refused("message is too long")
    return world.chats.post(chat, {"text": text})


def send_photo(world: World, parameters: dict[str, Any]) -> dict[str, Any]:
    """Post a photo with a caption. The photo is a URL, a file id or an upload."""
    chat = _chat(parameters)
    photo = parameters.get("photo")
    if isinstance(photo, UploadFile):
        source = f"upload:{photo.filename}"
    elif isinstance(photo, str) and photo:
        source = photo
    else:
        raise Refused("there is no photo in the request")
    caption = _marked_up(parameters, "caption")
    if len(caption) > MAX_CAPTION:
        raise Refused("message caption is too long")
    size = {"file_id": source, "file_unique_id": source[-32:], "width": 1280, "height": 960}
    return world.chats.post(chat, {"photo": [size], "caption": caption})


def _chat(parameters: dict[str, Any]) -> str:
    chat = str(parameters.get("chat_id", ""))
    if not chat:
        raise Refused("chat_id is empty")
    if not CHAT.fullmatch(chat):
        raise Refused("chat not found")
    return chat


def _marked_up(parameters: dict[str, Any], name: str) -> str:
    """Return the text as readers see it: Telegram parses the markup and stores plain text."""
    text = str(parameters.get(name, ""))
    if str(parameters.get("parse_mode", "")).lower() != "html":
        return text
    try:
        return plain_text(text)
    except BadMarkup as error:
        raise Refused(f"can't parse entities: {error}") from None


METHODS = {"getme": get_me, "sendmessage": send_message, "sendphoto": send_photo}
