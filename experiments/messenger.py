"""The channel that an experiment posts to: real HTTP to the stand-in of Telegram, which counts what arrives."""

import os
import ssl
from typing import Any

import httpx

from experiments.evidence import note

CERTIFICATES = ssl.create_default_context()  # loaded once: that takes a hundred times as long as a request


class Passing(Exception):
    """The messenger did not take it this time; it may take it the next."""


class Refused(Exception):
    """The messenger will never take it."""


def request(text: str) -> dict[str, Any]:
    """The arguments with which any HTTP client posts `text` to the channel."""
    return {"url": f"{os.environ['TELEGRAM']}/sendMessage", "json": {"chat_id": os.environ["CHANNEL"], "text": text}}


def post(text: str, timeout: float | None = 5.0) -> None:
    """Post `text`; wait at most `timeout` seconds for the answer, for ever if it is None.

    Raises:
        Passing: no answer in time, too many requests, or an error of theirs.
        Refused: they say that the request is wrong.
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
