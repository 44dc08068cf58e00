"""Tallies: the numbers of runs, without a count of the rows.

A database takes half a second to count a million rows. So triggers add one small row beside each change, in the same
transaction:

    a run is accepted   (lane, job, "accepted", +1)
    a run ends          (lane, job, its state, +1)
    a run is deleted    the same rows with -1

The sums are right for every writer, and a crash undoes the change and its row together. Rows are only added, so no
writer waits for another writer's counter. From time to time, the API replaces the rows by their sums.

Most runs have ended. The few that are at work or wait for a retry are counted in the runs table. The other open runs
have not begun.
"""

from sqlalchemy import Connection, func, select, text

from cars_bot import database
from cars_bot.database.models import tallies

BEGUN = "('IN_PROGRESS', 'RETRYING')"
Counts = dict[str, dict[str, int]]

# The rows that a trigger adds. `{row}` is NEW or OLD, `{sign}` is 1 or -1.
_END = """
    INSERT INTO tallies (lane, job, what, number) VALUES ({row}.lane, {row}.job, {row}.state, {sign});
    INSERT INTO tallies (lane, job, what, number)
        SELECT {row}.lane, {row}.job, 'retried', {sign} WHERE {row}.attempt > 1;
"""
_ACCEPTED = "INSERT INTO tallies (lane, job, what, number) VALUES ({row}.lane, {row}.job, 'accepted', {sign});"
_EFFECT = """
    INSERT INTO tallies (lane, job, what, number)
        SELECT lane, job, 'effects', {sign} FROM runs WHERE id = {row}.run_id;
"""

_REPEATED = """
    INSERT INTO repeated_keys (key)
        SELECT NEW.key WHERE EXISTS (
            SELECT 1 FROM effects JOIN runs ON runs.id = effects.run_id JOIN runs AS own ON own.lane = runs.lane
            WHERE effects.key = NEW.key AND effects.id <> NEW.id AND own.id = NEW.run_id
        ) ON CONFLICT DO NOTHING;
"""

# name: (event, condition, statements)
_TRIGGERS = {
    "tally_accepted": ("INSERT ON runs", "", _ACCEPTED.format(row="NEW", sign=1)),
    "tally_accepted_ended": ("INSERT ON runs", "NEW.finished_at IS NOT NULL", _END.format(row="NEW", sign=1)),
    "tally_ended": (
        "UPDATE OF finished_at ON runs",
        "OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL",
        _END.format(row="NEW", sign=1),
    ),
    "tally_reopened": (
        "UPDATE OF finished_at ON runs",
        "OLD.finished_at IS NOT NULL AND NEW.finished_at IS NULL",
        _END.format(row="OLD", sign=-1),
    ),
    "tally_deleted": ("DELETE ON runs", "", _ACCEPTED.format(row="OLD", sign=-1)),
    "tally_deleted_ended": ("DELETE ON runs", "OLD.finished_at IS NOT NULL", _END.format(row="OLD", sign=-1)),
    "tally_effect": ("INSERT ON effects", "", _EFFECT.format(row="NEW", sign=1)),
    "tally_repeated": ("INSERT ON effects", "", _REPEATED),
    "tally_effect_deleted": ("DELETE ON effects", "", _EFFECT.format(row="OLD", sign=-1)),
}

_FIRST_COUNT = """
INSERT INTO tallies (lane, job, what, number)
    SELECT lane, job, 'accepted', count(*) FROM runs GROUP BY lane, job
    UNION ALL
    SELECT lane, job, state, count(*) FROM runs WHERE finished_at IS NOT NULL GROUP BY lane, job, state
    UNION ALL
    SELECT lane, job, 'retried', count(*) FROM runs WHERE finished_at IS NOT NULL AND attempt > 1 GROUP BY lane, job
    UNION ALL
    SELECT lane, job, 'effects', count(*) FROM effects JOIN runs ON runs.id = effects.run_id GROUP BY lane, job
"""

_FIRST_REPEATED = "INSERT INTO repeated_keys (key) SELECT key FROM effects GROUP BY key HAVING count(*) > 1"


def install() -> None:
    """Make the triggers, and count the rows that were there before. A second call does no harm."""
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":  # during the count nobody may write; reading is allowed
            connection.execute(text("LOCK TABLE runs, effects, tallies IN SHARE ROW EXCLUSIVE MODE"))
        if _installed(connection):
            return
        for name, (event, condition, statements) in _TRIGGERS.items():
            for statement in _ddl(connection.dialect.name, name, event, condition, statements):
                connection.exec_driver_sql(statement)
        for statement in ("DELETE FROM tallies", _FIRST_COUNT, "DELETE FROM repeated_keys", _FIRST_REPEATED):
            connection.execute(text(statement))


_WHICH_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger",
}


def _installed(connection: Connection) -> bool:
    return set(_TRIGGERS) <= set(connection.execute(text(_WHICH_TRIGGERS[connection.dialect.name])).scalars())


def _ddl(dialect: str, name: str, event: str, condition: str, statements: str) -> list[str]:
    when = f"WHEN ({condition})" if condition else ""
    drop = f"DROP TRIGGER IF EXISTS {name}"
    if dialect == "sqlite":
        return [drop, f"CREATE TRIGGER {name} AFTER {event} {when} BEGIN {statements} END"]
    table = event.rpartition(" ")[2]
    if name == "tally_repeated":  # of two transactions with one key, the second must see the rows of the first
        statements = f"PERFORM pg_advisory_xact_lock(hashtext(NEW.key)); {statements}"
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {statements} RETURN NULL; END $$",
        f"{drop} ON {table}",
        f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW {when} EXECUTE FUNCTION {name}()",
    ]


FOLD_AT = 20_000  # rows; the sum of fewer rows takes a few milliseconds
_FOLD = {
    "sqlite": [],  # SQLite has the write lock already
    "postgresql": ["SET LOCAL lock_timeout = '1s'", "LOCK TABLE tallies IN ACCESS EXCLUSIVE MODE"],
}
_EMPTY = {"sqlite": "DELETE FROM tallies", "postgresql": "TRUNCATE tallies"}  # deleted rows leave holes


def fold() -> None:
    """Replace the rows by their sums, if there are many.

    Raises:
        StorageUnavailable: nothing was changed.
    """
    with database.statements() as connection:
        much = connection.execute(select(tallies.c.number).offset(FOLD_AT).limit(1)).first() is not None
    if much:
        with database.writing() as connection:
            for statement in _FOLD[connection.dialect.name]:
                connection.exec_driver_sql(statement)
            total = func.sum(tallies.c.number).label("number")
            kinds = (tallies.c.lane, tallies.c.job, tallies.c.what)
            sums = connection.execute(select(*kinds, total).group_by(*kinds)).mappings().all()
            connection.exec_driver_sql(_EMPTY[connection.dialect.name])
            connection.execute(tallies.insert(), [{**row, "number": int(row["number"])} for row in sums])


def kinds(connection: Connection) -> list[tuple[str, str]]:
    """Return each pair of lane and job that has runs or had them."""
    rows = connection.execute(select(tallies.c.lane, tallies.c.job).distinct())
    return [(row.lane, row.job) for row in rows]


# One statement, so that all numbers are of the same moment.
_COUNTS = text(f"""
    SELECT lane, what, CAST(sum(number) AS BIGINT) AS number FROM tallies GROUP BY lane, what
    UNION ALL
    SELECT lane, state, count(*) FROM runs WHERE finished_at IS NULL AND state IN {BEGUN} GROUP BY lane, state
    UNION ALL
    SELECT lane, 'retried', count(*) FROM runs
    WHERE finished_at IS NULL AND state IN {BEGUN} AND attempt > 1 GROUP BY lane
""")  # noqa: S608


def counts(connection: Connection) -> Counts:
    """Return {lane: {"accepted", each state, "retried", "effects"}}, exact. Empty lanes and zeros are left out."""
    found: Counts = {}
    for lane, what, number in connection.execute(_COUNTS):
        of_lane = found.setdefault(lane, {})
        of_lane[what] = of_lane.get(what, 0) + number
    for of_lane in found.values():
        begun_or_ended = sum(of_lane.get(state, 0) for state in _NOT_PENDING)
        of_lane["PENDING"] = of_lane.get("accepted", 0) - begun_or_ended
    return found


_NOT_PENDING = ("IN_PROGRESS", "RETRYING", "DONE", "FAILED", "EXPIRED", "REVOKED")
