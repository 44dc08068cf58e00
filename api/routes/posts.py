"""POST /api/posts: the import of a Telegram export."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from api.errors import problems
from api.schemas import ImportReport
from cars_bot.boundary import posts

router = APIRouter(prefix="/api")

MOST_UNREADABLE = 100  # named in one answer


@router.post(
    "/posts",
    status_code=201,
    tags=["posts"],
    summary="Import a Telegram export",
    responses=problems(413, 415, 422, 503),
    openapi_extra={
        "requestBody": {
            "description": "Telegram Desktop's `result.json`, as it is.",
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
async def import_posts(request: Request) -> ImportReport:
    """Import a Telegram export. Posts that were imported before are brought up to date, not doubled."""
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
