"""Tables of the kit. Times are in seconds since 1970 (UTC). `runs.py` lists the states. There is no logic here."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Computed,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    literal_column,
)

metadata = MetaData()
OBSOLETE_INDICES = ("runs_open",)  # of earlier versions
SQLITE_ONLY = ("runs_begun_by_kind",)

# SQLite numbers rows by itself only in a column of type INTEGER.
Serial = BigInteger().with_variant(Integer, "sqlite")

runs = Table(
    "runs",
    metadata,
    Column("id", String(36), primary_key=True),  # UUIDv7: sorts by time; also the message id and the Celery task id
    Column("lane", String(16), nullable=False),
    Column("job", String(64), nullable=False),
    Column("queue", String(32), nullable=False),
    Column("args", JSON, nullable=False),
    Column("priority", Integer, nullable=False, default=0),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("max_attempts", Integer, nullable=False),
    Column("worker", String(128)),
    Column("result", JSON),
    Column("error", Text),
    Column("accepted_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),  # the run must not start before it
    Column("expires_at", Double),
    Column("published_at", Double),  # NULL: no broker has confirmed it yet, so the relay has to publish it
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("parent", String(36)),  # the run that asked for this one: a next step, or a retry of an ended run
    Column("ended_as", String(16), Computed("CASE WHEN finished_at IS NOT NULL THEN state END", persisted=True)),
    Column("steps", JSON(none_as_null=True)),  # the following steps of its workflow: [[job, run id, priority], …]
    # The process that holds the run (`begin_attempt.py`). NULL or empty: no process. A take changes no column of an
    # index. So PostgreSQL updates the row in place (HOT), and a take costs a third of its cost with such an index.
    Column("holder", String(128)),
    Column("overdue_at", Double),  # no attempt lasts longer; after this time the holder has lost the run
    Column("waits", Integer),  # number of times that the run was told to wait
    Column("waited", Double),  # seconds of these waits in all
    Column("republished", Integer),  # number of times that its message was lost and published again
    Column("comparison", String(36)),  # the comparison that the run belongs to
    postgresql_with={"fillfactor": 70},  # room for the two updates of a run, on the page of its row
)
# The order of the lists. The id alone is not enough: the id of a task sent by hand says nothing about time.
Index("runs_newest", runs.c.accepted_at, runs.c.id)

# A list with filters is built from the newest runs of each lane, job and state (`run_lists.py`). On PostgreSQL no index
# has the column `state`. Otherwise it would change all indices at each start of a run. `ended_as` is set at the end.
_open, _ended = runs.c.finished_at.is_(None), runs.c.ended_as.is_not(None)
_begun = runs.c.state.in_([literal_column("'IN_PROGRESS'"), literal_column("'RETRYING'")])
_kind, _newest = (runs.c.lane, runs.c.job), (runs.c.accepted_at, runs.c.id)
Index("runs_open_by_kind", *_kind, *_newest, sqlite_where=_open, postgresql_where=_open)
Index("runs_ended_by_kind", *_kind, runs.c.ended_as, *_newest, sqlite_where=_ended, postgresql_where=_ended)
Index("runs_begun_by_kind", *_kind, runs.c.state, *_newest, sqlite_where=_begun).ddl_if(dialect="sqlite")
# This index is small, because a run leaves it when it is published or ends.
_unpublished = runs.c.published_at.is_(None) & _open
Index(
    "runs_unpublished", runs.c.lane, runs.c.due_at, runs.c.id, sqlite_where=_unpublished, postgresql_where=_unpublished
)
Index(
    "runs_parent",
    runs.c.parent,
    sqlite_where=runs.c.parent.is_not(None),
    postgresql_where=runs.c.parent.is_not(None),
)

_in_comparison = runs.c.comparison.is_not(None)
Index("runs_comparison", runs.c.comparison, sqlite_where=_in_comparison, postgresql_where=_in_comparison)

comparisons = Table(
    "comparisons",
    metadata,
    Column("id", String(36), primary_key=True),  # UUIDv7: sorts by time
    Column("name", String(100), nullable=False),
    Column("request", JSON, nullable=False),
    Column("state", String(16), nullable=False),  # WAITING, RUNNING, ENDED
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    Column("stopped_at", Double),  # a person has asked for its end
    Column("submitted", Integer, nullable=False),  # jobs that were submitted on each lane
    Column("marks", JSON, nullable=False),  # the faults that were caused, each with its moment
)

# The number of runs (`tallies.py`): the sum of `number`.
tallies = Table(
    "tallies",
    metadata,
    Column("lane", String(16), nullable=False),
    Column("job", String(64), nullable=False),
    Column("what", String(16), nullable=False),  # accepted, a state in which runs end, retried, effects
    Column("number", Integer, nullable=False),
)

effects = Table(
    "effects",
    metadata,
    Column("id", Serial, primary_key=True),
    Column(
        "key", String(200), nullable=False, index=True
    ),  # two rows with one key are a duplicate; the checker counts them
    Column("run_id", String(36), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("detail", JSON),
    Column("made_at", Double, nullable=False),
)

# Keys with more than one effect on a lane. A trigger adds them (`tallies.py`), so a count of duplicates is quick.
repeated_keys = Table("repeated_keys", metadata, Column("key", String(200), primary_key=True))

claims = Table(
    "claims",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("run_id", String(36), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("detail", JSON),  # the effect's result; NULL while the claim is open
    Column("claimed_at", Double, nullable=False),
    Column("settled_at", Double),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("reply", JSON, nullable=False),
    Column("created_at", Double, nullable=False, index=True),
)

workers = Table(
    "workers",
    metadata,
    Column("family", String(64), primary_key=True),  # a process and its children (`liveness.py`)
    Column("name", String(128), nullable=False),
    Column("lane", String(16), nullable=False),
    Column("host", String(128), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("queues", JSON),  # the queues that it consumes
    Column("held", JSON),  # ids of the runs whose messages it has received and not begun
    Column("since", Double, nullable=False),  # it has renewed its lease without a gap since this time
    Column("renewed_at", Double, nullable=False),  # both times by the shared clock (`clock.py`)
)

leaders = Table(
    "leaders",
    metadata,
    Column("role", String(32), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("until", Double, nullable=False),
)
