"""Tables of the Cars Bot: posts, analyses, channels, subscribers, publications and statistics."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, String, Table, Text, UniqueConstraint

from cars_bot.database.models import Serial, metadata

# The Telegram chats whose posts were imported. A chat's name is the channel of its posts.
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
    Column("lane", String(16), primary_key=True),  # each lane does the work itself, so that they can be compared
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
