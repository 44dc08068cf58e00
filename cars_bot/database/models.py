"""The tables. Times are seconds since 1970 (UTC); states are the words of `runs.py`; no logic lives here."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Computed,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

metadata = MetaData()
OBSOLETE_INDICES = ("runs_open",)  # of earlier versions
SQLITE_ONLY = ("runs_begun_by_kind",)

# SQLite numbers rows by itself only in a column declared INTEGER.
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
    Column("due_at", Double, nullable=False),  # not to be started before
    Column("expires_at", Double),
    Column("published_at", Double),  # NULL: the broker has not confirmed it yet, the relay's work
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("parent", String(36)),  # the run that asked for this one: a next step, or a retry of an ended run
    Column("ended_as", String(16), Computed("CASE WHEN finished_at IS NOT NULL THEN state END", persisted=True)),
    Column("steps", JSON(none_as_null=True)),  # of its workflow, those that follow: [[job, run id, priority], …]
    # Who has it in hand (`attempts.py`). NULL or empty: nobody. No index holds a column that a take changes: PostgreSQL
    # updates such a row in place (HOT), and a take costs a third of what it costs otherwise.
    Column("holder", String(128)),
    Column("overdue_at", Double),  # no attempt lasts longer; who holds the run then has lost sight of it
    Column("waits", Integer),  # how often the other side told it to come back later, and how long that was in all
    Column("waited", Double),  # seconds
    Column("republished", Integer),  # how often its message was found lost and published again
    postgresql_with={"fillfactor": 70},  # room for the two updates of a run, on the page where the row is
)
# The order of the lists. Not by id alone: a task sent by hand brings an id that says nothing about time.
Index("runs_newest", runs.c.accepted_at, runs.c.id)

# A list with filters is put together from the newest of each lane, job and state (`run_lists.py`). None of these knows
# `state`: PostgreSQL would have to note each start of a run in all indices then. `ended_as` is filled at the end.
_open, _ended = runs.c.finished_at.is_(None), runs.c.ended_as.is_not(None)
_begun = runs.c.state.in_([literal_column("'IN_PROGRESS'"), literal_column("'RETRYING'")])
_kind, _newest = (runs.c.lane, runs.c.job), (runs.c.accepted_at, runs.c.id)
Index("runs_open_by_kind", *_kind, *_newest, sqlite_where=_open, postgresql_where=_open)
Index("runs_ended_by_kind", *_kind, runs.c.ended_as, *_newest, sqlite_where=_ended, postgresql_where=_ended)
Index("runs_begun_by_kind", *_kind, runs.c.state, *_newest, sqlite_where=_begun).ddl_if(dialect="sqlite")
# Small: a run leaves it when it is published, or ends.
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

# How many runs there are, as `tallies.py` keeps it: the sum over `number`.
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
    ),  # two rows with one key are a duplicate: the checker counts them
    Column("run_id", String(36), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("detail", JSON),
    Column("made_at", Double, nullable=False),
)

# Keys with more than one effect on a lane, noted by a trigger (`tallies.py`): where duplicates have to be looked for.
repeated_keys = Table("repeated_keys", metadata, Column("key", String(200), primary_key=True))

claims = Table(
    "claims",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("run_id", String(36), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("detail", JSON),  # what came of it; NULL while the claim is open
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

# The chats of Telegram that posts were imported from; their names are the channels of the posts.
chats = Table(
    "chats",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(128), nullable=False, unique=True),
)

posts = Table(
    "posts",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("channel", String(128), nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("posted_at", Double),
    Column("text", Text, nullable=False),
    UniqueConstraint("channel", "message_id"),
)

analyses = Table(
    "analyses",
    metadata,
    Column("post_id", BigInteger, primary_key=True),
    Column("lane", String(16), primary_key=True),  # each lane does the work for itself: that is the comparison
    Column("run_id", String(36), nullable=False),
    Column("is_sale", Boolean, nullable=False),
    Column("car", JSON),
    Column("description", Text),
    Column("made_at", Double, nullable=False),
)

channels = Table(
    "channels",
    metadata,
    Column("username", String(128), primary_key=True),
    Column("title", String(256)),
    Column("active", Boolean, nullable=False),
    Column("synced_at", Double, nullable=False),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("chat", String(64), nullable=False, unique=True),
    Column("name", String(128)),
    Column("expires_at", Double),
    Column("active", Boolean, nullable=False),
)

publications = Table(
    "publications",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("post_id", BigInteger, nullable=False),
    Column("channel", String(128), nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("run_id", String(36), nullable=False),
    Column("sent_at", Double, nullable=False),
    UniqueConstraint("post_id", "channel"),
)

stats = Table(
    "stats",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("taken_at", Double, nullable=False),
    Column("values", JSON, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("family", String(64), primary_key=True),  # a process and its children (`liveness.py`)
    Column("name", String(128), nullable=False),
    Column("lane", String(16), nullable=False),
    Column("host", String(128), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("queues", JSON),  # those it consumes
    Column("held", JSON),  # ids of runs whose messages it has received and not begun
    Column("since", Double, nullable=False),  # since then it has renewed without a gap
    Column("renewed_at", Double, nullable=False),  # both by the shared clock (`clock.py`)
)

leaders = Table(
    "leaders",
    metadata,
    Column("role", String(32), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("until", Double, nullable=False),
)
