"""History for a runs table: many ended runs. The database makes them itself, within seconds."""

import json

from sqlalchemy import text

from cars_bot import database
from cars_bot.catalogue import JOBS
from cars_bot.database import schema
from cars_bot.database.models import metadata

# Of a thousand runs 985 are DONE, 10 FAILED, 3 EXPIRED and 2 REVOKED. They are of all jobs on all lanes, one every
# 50 ms; the last was an hour ago. An id looks like a UUIDv7: 48 bits of milliseconds, then the number of the run.
_FILL = """
INSERT INTO runs (id, lane, job, queue, args, priority, state, attempt, max_attempts, worker, result,
                  accepted_at, due_at, published_at, started_at, finished_at)
SELECT {id}, lane, job, queue, '{{"task_num": 1, "timeout": 0.0, "worker_id": "worker"}}', 0,
       CASE WHEN n % 1000 < 985 THEN 'DONE' WHEN n % 1000 < 995 THEN 'FAILED' WHEN n % 1000 < 998 THEN 'EXPIRED'
            ELSE 'REVOKED' END,
       1 + (n % 50) / 49, 4, 'worker-1/1', '{{"status": "success", "task_num": 1}}', at, at, at, at, at
FROM (SELECT n, CAST(extra.now AS DOUBLE PRECISION) - 3600 - ({rows} - n) * 0.05 AS at,
             CASE WHEN n % 10 < 5 THEN 'raw' WHEN n % 10 < 9 THEN 'celery' ELSE 'inline' END AS lane, job, queue
      FROM {numbers} CROSS JOIN (SELECT {now} AS now) AS extra
           JOIN (SELECT {value}->>'place' AS place, {value}->>'job' AS job, {value}->>'queue' AS queue
                 FROM {each}) AS jobs ON jobs.place = {place}) AS history
"""
_DIALECTS = {
    "sqlite": {
        "id": "printf('%08x-%04x-7000-8000-%012x', (at * 1000) / 65536, CAST(at * 1000 AS INTEGER) % 65536, n)",
        "numbers": "(WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up LIMIT {rows}) "
        "SELECT n FROM up) AS up",
        "now": "unixepoch('now')",
        "value": "each.value",
        "each": "json_each(:jobs) AS each",
        "place": "n / 7 % {jobs}",
    },
    "postgresql": {
        "id": "concat_ws('-', lpad(to_hex(trunc(at * 1000 / 65536)::bigint), 8, '0'), "
        "lpad(to_hex((at * 1000)::bigint % 65536), 4, '0'), '7000-8000', lpad(to_hex(n), 12, '0'))",
        "numbers": "generate_series(1, {rows}) AS up(n)",
        "now": "extract(epoch FROM now())",
        "value": "each",
        "each": "json_array_elements(CAST(:jobs AS json)) AS each",
        "place": "(n / 7 % {jobs})::text",
    },
}


def fill(rows: int) -> None:
    """Make the tables in the database of `DATABASE_URL`, and insert `rows` ended runs."""
    metadata.create_all(database.engine())  # `create_tables` adds triggers that count each row: slow
    jobs = [{"place": place, "job": job.name, "queue": job.queue.name} for place, job in enumerate(JOBS.values())]
    with database.writing() as connection:
        dialect = _DIALECTS[connection.dialect.name]
        parts = {name: part.format(rows=rows, jobs=len(jobs)) for name, part in dialect.items()}
        connection.execute(text(_FILL.format(rows=rows, **parts)), {"jobs": json.dumps(jobs)})
    schema.create_tables()
    with database.statements() as connection:
        connection.execute(text("ANALYZE"))
