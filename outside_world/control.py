"""The control room: order and lift faults, read the counters, read the posts and the spreadsheets."""

from typing import Any

from fastapi import APIRouter, HTTPException

from outside_world.faults import Fault, Service
from outside_world.google.sheet import as_text
from outside_world.world import World


def build_router(world: World) -> APIRouter:
    """Return the routes under /_control and /healthz, for `world`."""
    router = APIRouter(tags=["control"])

    @router.get("/healthz")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @router.post("/_control/faults", status_code=201)
    async def order_fault(fault: Fault) -> Fault:
        world.switchboard.order(fault)
        return fault

    @router.get("/_control/faults")
    async def list_faults() -> list[Fault]:
        return world.switchboard.faults

    @router.delete("/_control/faults")
    async def clear_faults(service: Service | None = None, ordered_by: str | None = None) -> list[Fault]:
        world.switchboard.clear(service, ordered_by)
        return world.switchboard.faults

    @router.get("/_control/counters")
    async def counters() -> dict[str, dict[str, int]]:
        return {service: dict(counter) for service, counter in world.counters.items()}

    @router.get("/_control/telegram/messages")
    async def messages(chat: str | None = None) -> dict[str, Any]:
        """Return one chat's stored messages, or the total of each chat."""
        if chat is None:
            return {"chats": {each.name: each.total for each in world.chats}}
        return {"chat": chat, "total": world.chats.total(chat), "messages": world.chats.messages(chat)}

    @router.get("/_control/sheets")
    async def spreadsheets() -> list[str]:
        return world.drive.names()

    @router.get("/_control/sheets/{spreadsheet_id}")
    async def spreadsheet(spreadsheet_id: str) -> dict[str, list[list[str]]]:
        """Return the cells of each sheet by its title."""
        found = world.drive.peek(spreadsheet_id)
        if found is None:
            raise HTTPException(404, f"no client has used {spreadsheet_id!r} yet; see GET /_control/sheets")
        return {sheet.title: [[as_text(cell) for cell in row] for row in sheet.rows] for sheet in found.sheets}

    @router.post("/_control/reset")
    async def reset() -> dict[str, bool]:
        world.reset()
        return {"ok": True}

    return router
