"""POST /update_task_status_api/: the reports of workers that have neither the database nor Redis.

A report must pass four locks, in this order:

1. The signature fits the bytes that arrived (401).
2. The run in the body is the run in the signed header (403).
3. A report that came before gets the answer it got before. So a replay changes nothing.
4. The state rules of `runs.py` allow the change (409). `worker_reports.py` applies the report.

The workers' side is in `cars_bot/run_store/over_http.py`.
"""

import hashlib
import re
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from api.errors import Problem, Refused
from api.routes import worker_reports
from cars_bot import database
from cars_bot.database.models import idempotency_keys
from cars_bot.processes import clock
from cars_bot.run_store.signature import verify
from cars_bot.settings import settings

router = APIRouter(tags=["callback"])

_SIGNATURE = re.compile(r"[0-9a-f]{64}")


@router.post(
    "/update_task_status_api/",
    summary="Report on a run",
    responses={s: {"model": Problem} for s in (401, 403, 404, 409, 422)},
)
async def update_task_status(
    request: Request,
    x_run_id: Annotated[str, Header()] = "",
    x_timestamp: Annotated[str, Header()] = "",
    x_signature: Annotated[str, Header()] = "",
) -> JSONResponse:
    """Accept a worker's signed report.

    200: the report is stored, and the answer has the attempt's number.
    409: the run has ended, or a newer attempt has begun.
    """
    body = await request.body()
    signed = _SIGNATURE.fullmatch(x_signature) and verify(
        settings().kit_secret, x_run_id, x_timestamp, body, x_signature, clock.now()
    )
    if not signed:
        message = "the signature is wrong or over 5 minutes old; sign again, with this kit's KIT_SECRET"
        raise Refused(401, "bad_signature", message)
    try:
        report = worker_reports.Report.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error
    if report.id != x_run_id:
        raise Refused(403, "wrong_run", "the body is about another run than X-Run-Id; send the same id in both")
    return await run_in_threadpool(_apply_once, report, x_signature)


def _apply_once(report: worker_reports.Report, signature: str) -> JSONResponse:
    """Apply a report, or return the answer that it got before."""
    key = f"callback:{signature}"
    with database.statements() as connection:
        stored = connection.execute(
            select(idempotency_keys.c.reply).where(idempotency_keys.c.key == key)
        ).scalar_one_or_none()
    if stored is None:
        status, reply = worker_reports.apply(report)
        stored = {"status": status, "body": reply}
        body_hash = hashlib.sha256(signature.encode()).hexdigest()
        with database.statements() as connection:
            row = {"key": key, "body_hash": body_hash, "reply": stored, "created_at": clock.now()}
            database.insert_if_new(connection, idempotency_keys, row)
    return JSONResponse(stored["body"], stored["status"])
