"""POST /api/posts: the import of a Telegram export."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api.errors import problems
from cars_bot.boundary import posts

router = APIRouter(prefix="/api")

MOST_UNREADABLE = 100  # messages that one answer lists


class ImportReport(BaseModel):
    """The result of an import. Jobs take a `post_id` as their argument."""

    imported: int
    skipped: int = Field(description="Number of service messages (somebody joined, a message was pinned).")
    unreadable: list[str] = Field(description="Messages that could not be read, and the reason; at most 100.")
    posts: list[dict[str, Any]]


@router.post(
    "/posts",
    status_code=201,
    tags=["posts"],
    summary="Import a Telegram export",
    responses=problems(413, 415, 422, 503),
    openapi_extra={
        "requestBody": {
            "description": "The `result.json` of Telegram Desktop, unchanged.",
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
async def import_posts(request: Request) -> ImportReport:
    """Import a Telegram export. Posts that were imported before are updated, not stored twice."""
    imported = await run_in_threadpool(posts.store, await request.body(), "the body")
    return ImportReport(
        imported=len(imported.post_ids),
        skipped=imported.skipped,
        unreadable=imported.unreadable[:MOST_UNREADABLE],
        posts=[
            {"channel": channel, "message_id": message_id, "post_id": post_id}
            for (channel, message_id), post_id in imported.post_ids.items()
        ],
    )
