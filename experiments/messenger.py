"""Messenger: posts to an experiment's channel, with real HTTP. The stand-in of Telegram counts the posts."""

import os
import ssl
from typing import Any

import httpx

from experiments.evidence import note

CERTIFICATES = ssl.create_default_context()  # loaded once: loading takes a hundred times as long as a request


class Passing(Exception):
    """The messenger did not accept the request this time; it may accept it the next time."""


class Refused(Exception):
    """The messenger will never accept the request."""


def request(text: str) -> dict[str, Any]:
    """Return the arguments with which any HTTP client posts `text` to the channel."""
    return {"url": f"{os.environ['TELEGRAM']}/sendMessage", "json": {"chat_id": os.environ["CHANNEL"], "text": text}}


def post(text: str, timeout: float | None = 5.0) -> None:
    """Post `text`. Wait at most `timeout` seconds for the answer; None means for ever.

    Raises:
        Passing: no answer in time, too many requests, or an error of the messenger's own.
        Refused: the messenger says that the request is wrong.
    """
    note("request", text=text[:40])
    try:
        reply = httpx.post(**request(text), timeout=timeout, verify=CERTIFICATES, trust_env=False)
    except httpx.TransportError as error:
        raise Passing(repr(error)) from error
    note("answered", text=text[:40], status=reply.status_code)
    if reply.status_code == 429 or reply.status_code >= 500:
        raise Passing(f"{reply.status_code} {reply.reason_phrase}")
    if reply.is_error:
        raise Refused(reply.json()["description"])
