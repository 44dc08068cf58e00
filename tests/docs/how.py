"""The way to try each printed command: one row for each kind. A command that matches no row fails the tests.

A command that cannot run as it stands is at least checked (`understood.py`). Its row, an `Instead`, names what runs it.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Typed:
    """A command that runs in a shell against the session's kit.

    Attributes:
        `like`: a regular expression. Standard output and standard error together must contain it.
        `exit`: the exit statuses that are right.
        `thorough`: the command takes too long for `make test`. CI types it.
        `seconds`: the time after which the command has failed.
        `never_ends`: the command runs until the test ends it. The test does so when the command has printed `like`.
        `alone`: the command needs no kit. It has servers of its own, or none.
    """

    like: str = ""
    exit: tuple[int, ...] = (0,)
    thorough: bool = False
    seconds: float = 120.0
    never_ends: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Instead:
    """A command that the tests do not type.

    `by` is the test or the script that runs it, or the reason why nothing can.
    """

    why: str
    by: str = ""


EXPERIMENT = r"(?s)broken.*fixed"
# The first row whose pattern matches the whole command decides.
HOW: tuple[tuple[str, Typed | Instead], ...] = (
    # ---- look
    (r"\./kit --help", Typed(r"usage: \./kit COMMAND", alone=True)),
    (r"\./kit status", Typed(r"(?s)process +state +pid.*page +http://127.*run directory: ")),
    (r"\./kit inspect", Typed(r"celery[\s\S]*raw")),
    (r"\./kit logs -f", Typed(r"api", never_ends=True)),
    (r"\./kit logs api", Typed(r"\w")),
    (r"\./kit doctor", Typed(r"✓", exit=(0, 1))),
    (r"\./kit dead-letters list", Typed()),
    (r"\./kit exec rabbitmqctl list_queues", Typed(r"raw\.default")),
    (r"\./kit exec celery -A celery_app inspect active", Typed(r"online", thorough=True)),
    (r"make (status|celery-status|celery-stats)", Typed(r"\w", thorough=True)),
    # ---- work
    (r"\./kit submit process_task --lane raw .* --count 20 --json", Typed(r'^\{"runs": \[\{"id": "[\w-]+"')),
    (r"\./kit submit process_task --lane raw .* --count 10", Typed(r"^([\w-]{36}\n){10}$")),
    (r"\./kit submit describe_post .*", Typed(r"^[\w-]{36}\n$")),
    (r"\./kit submit debug_task", Typed(r"^[\w-]{36}\n$")),
    (r"\./kit wait --timeout 60 --json", Typed(r'"raw"', thorough=True)),
    (r"\./kit wait \$\(\./kit submit debug_task --count 100\)", Typed(r"celery", thorough=True)),
    (r"\./kit wait( -)?", Instead("reads what another command prints", "tests/docs/test_commands.py")),
    (r"\./kit compare --presets", Typed(r"watch[\s\S]*expect")),
    (r"\./kit compare( --lanes celery raw inline --rate 5 --json)?", Typed(r"done[\s\S]*redelivered", thorough=True)),
    (r"\./kit compare .*(--burst|--times) .*", Typed(r"done[\s\S]*redelivered", thorough=True)),
    (r"\./kit compare .*(--preset|--at) .*", Instead("kills workers", "tests/contract/test_comparisons.py")),
    (r"\./kit comparisons list", Typed(r"id +name|none yet")),
    (r"\./kit comparisons (show|export|import|delete) .*", Instead("", "tests/contract/test_comparisons.py")),
    (r"\./kit import data/result.json", Typed(r"238", thorough=True)),
    (r"\./kit process data/result.json .*", Typed(r"\{", thorough=True, seconds=300)),
    (r"\./kit dead-letters (replay|discard) --lane \w+ --all", Typed(thorough=True)),
    (r"\./kit dead-letters (show|replay) --lane \w+ RUN.*", Instead("", "tests/contract/test_dead_letters.py")),
    (r"\./kit locust .*", Typed(r"(?s)E2E +celery.*E2E +inline.*E2E +raw", thorough=True)),
    (r"curl -N .*", Typed(r"data: ", never_ends=True)),
    (r"curl .*", Typed(r"[{\[]")),
    (r"\./kit exec .* worker .*--report-to .*",
     Instead("goes on until it is ended", "tests/faults/test_remote_workers.py")),
    (r"\./kit exec python -m (celery_parts|raw_consumer)\.hello .*", Instead("", "tests/contract/test_hello.py")),
    # ---- start and stop: the session's kit is left alone
    (r"\./kit (purge|purge --yes)", Instead("", "tests/contract/test_kit_lifecycle.py")),
    (r"\./kit (up|down|restart)( \w+)?", Instead("", "tests/contract/test_kit_lifecycle.py")),
    (r"CELERY_BROKER_URL=redis:// \./kit up", Instead("", "tests/contract/test_over_redis.py")),
    (r"\./kit up flower", Instead("needs a free port for Flower", "tests/contract/test_kit_lifecycle.py")),
    (r"\./kit scale .*", Instead("", "tests/contract/test_kit_lifecycle.py")),
    (r"(make|\./kit) demo", Instead("", "tests/contract/test_comparisons.py")),
    (r"make (up|down)", Instead("", "tests/contract/test_kit_lifecycle.py")),
    (r"make run-celery-worker", Typed(r" ready\.", never_ends=True, thorough=True)),
    (r"make run-celery-beat", Typed(r"beat: Starting", never_ends=True, thorough=True)),
    # ---- learn
    (r"\./kit antipattern (list|show \d+)", Typed(r"\w{3}", alone=True)),
    (r"\./kit antipattern run (1|19 --by-hand|\d+ --broker redis)",
     Typed(EXPERIMENT, thorough=True, seconds=180, alone=True)),
    (r"\./kit antipattern run \d+( --by-hand)?", Instead("`./kit antipatterns` runs it", ".ci/run")),
    (r"\./kit antipattern run .* --repeat \d+", Instead("minutes", ".ci/run")),
    (r"make (antipatterns|golden-rules)|\./kit golden-rules", Instead("minutes", ".ci/run")),
    (r"\./kit lab (list|progress|progress --json)", Typed(alone=True)),
    (r"\./kit lab start 1", Typed(r"Lab \d+\. ", alone=True)),
    (r"\./kit lab start \d+", Typed(r"Lab \d+\. ", thorough=True, alone=True)),
    (r"\./kit lab check (1|11 --lane celery|16)",
     Typed(r"(celery|raw)[\s\S]*\w", exit=(1,), thorough=True, seconds=180, alone=True)),
    (r"\./kit lab check \d+", Instead("", "tests/labs/test_labs.py")),
    (r"\./kit lab (check|hint|explain|solution|start|diff|reset) .*", Instead("", "tests/labs/test_around_a_check.py")),
    (r".*\./kit lab check 6 .*--json > .*|cat submissions.*|echo \$\?",
     Instead("needs a class", "tests/labs/test_around_a_check.py")),
    (r"\./kit exec python docs/pictures\.py", Instead("writes into the project", "docs/pictures.py")),
    (r"\./kit exec python -m labs\.lab18\S* .*", Instead("", "tests/labs/test_around_a_check.py")),
    (r"\./kit exec uv pip install -r .*", Instead("changes .venv", "requirements-dev.in")),
    # ---- develop
    (r"\./kit parity", Typed(r"(?s)celery.*by hand|feature", alone=True)),
    (r"\./kit parity --write", Instead("writes into the project", "tests/unit/api/test_parity.py")),
    (r"\./kit parity --without .*", Instead("", "tests/unit/api/test_parity.py")),
    (r"make (test\S*|soak|lint|audit)|\./kit test(-faults)?( .*)?", Instead("the tests themselves", ".ci/run")),
    (r"(make bench|\./kit bench( messages| api)?)",
     Instead("minutes, alone on the machine", "bench/__main__.py")),
    (r"make compile-requirements", Instead("needs PyPI, writes pins", "tests/unit/project/test_requirements.py")),
    (r"make (locust|doctor|logs)", Instead("the same as ./kit", "Makefile")),
    # ---- no engine, no keys
    (r"docker compose .*", Instead("needs Docker; services and words are checked", "docker-compose.yml")),
    # ---- words about commands
    (r"\./kit( COMMAND| antipattern| lab| golden-rules)?( …)?", Instead("a command's name", "commands/__main__.py")),
    (r"kit .*", Instead("a command's synopsis", "commands/__main__.py")),
    (r".*(VALUE|…).*", Instead("a message with a value", "tests/docs/understood.py")),
)  # fmt: skip


def how(command: str) -> Typed | Instead | None:
    """Return how to try a command, or None if no row matches it."""
    return next((way for pattern, way in HOW if re.fullmatch(pattern, command)), None)
