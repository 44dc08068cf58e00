"""The sheets' tasks."""

from celery import shared_task

from labs.lab04_registration import work


@shared_task(name="sync_sheet")
def sync_sheet(sheet: str) -> None:
    """Bring a sheet up to date."""
    work.sync_sheet(sheet)
