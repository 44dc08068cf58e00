"""The run directory, the supervisor configuration written into it, and small decisions of the commands."""

import configparser
import os
import re
import shlex
import stat
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values
from supervisor.options import ServerOptions

from cars_bot.settings import read
from commands import logs, scale, up
from commands.__main__ import COMMANDS, MODULES, main
from commands.common.console import Problem, bar, table
from commands.common.state import RunDir
from commands.diagnosis import machine
from commands.exec_ import inside
from commands.servers import rabbitmq
from commands.servers.processes import CEILING, Program, configuration, environment, kit_programs
from commands.servers.supervisor import Process

ROOT = Path(__file__).resolve().parents[3]


def process(name: str, state: str = "RUNNING", pid: int = 1) -> Process:
    return Process(name, name.rpartition("-")[0] or name, state, pid, 0, 10, Path("/nowhere"))


def supervisor_options(conf: Path) -> ServerOptions:
    """The configuration as supervisor itself reads it."""
    options = ServerOptions()
    options.realize(["-c", str(conf)])
    options.process_config(do_usage=False)
    return options


# ---------------------------------------------------------------- the run directory


def test_kit_env_is_for_its_owner_alone_and_read_alike_by_us_and_by_dotenv(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    run.create()
    values = {
        "KIT_SECRET": "abc",
        "RMQ_URL": "amqp://student:qwerty@127.0.0.1:5672/",
        "DATABASE_URL": "sqlite:///a b#c",
    }
    run.write_env(values)
    assert stat.S_IMODE(run.kit_env.stat().st_mode) == 0o600
    assert run.read_env() == values
    assert dotenv_values(run.kit_env) == values


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    run.create()
    run.write_env({"KIT_SECRET": run.secret()})
    assert len(run.secret()) == 64
    assert run.secret() == run.secret()


def test_the_socket_of_a_deep_run_directory_still_fits_into_a_socket_address(tmp_path: Path) -> None:
    deep, deeper = RunDir(tmp_path / ("d" * 120)), RunDir(tmp_path / ("e" * 120))
    assert len(str(deep.socket)) < 100
    assert deep.socket != deeper.socket


def test_rabbitmq_gets_a_plain_path_into_a_folder_with_a_russian_name(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "Рабочий стол")
    run.create()
    try:
        assert str(run.plain_path()).isascii()
        assert run.plain_path().resolve() == run.path
    finally:
        run.alias.unlink()
    assert RunDir(tmp_path).plain_path() == tmp_path


# ---------------------------------------------------------------- supervisor's configuration


def test_supervisor_understands_every_program_we_write(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "100% mine")
    run.create()
    odd = Program("odd", ["/bin/echo", "50%", 'say "hi"'], {"ARGS": "+S 2:2 {127,0,0,1}", "SHARE": "50%"})
    programs = [odd, *kit_programs(run, {"api": 8081, "flower": 5555, "outside_world": 8090})]
    run.supervisor_conf.write_text(configuration(run, programs))
    groups = {group.name: group for group in supervisor_options(run.supervisor_conf).process_group_configs}
    assert set(groups) == {program.name for program in programs}
    first = groups["odd"].process_configs[0]
    assert shlex.split(first.command) == odd.command
    assert first.environment == odd.environment
    assert first.stdout_logfile == str(run.logs / "odd.log")
    workers = groups["celery_worker"].process_configs
    assert [worker.name for worker in workers] == [f"celery_worker-{n}" for n in range(1, CEILING + 1)]
    assert workers[2].environment["KIT_WORKER_NAME"] == "celery_worker-3"
    assert "celery_worker-3@%h" in shlex.split(workers[2].command)


def test_nothing_starts_by_itself_and_a_worker_is_given_the_time_of_its_longest_job(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    run.create()
    run.supervisor_conf.write_text(configuration(run, kit_programs(run, {"api": 1, "flower": 2})))
    for group in supervisor_options(run.supervisor_conf).process_group_configs:
        for config in group.process_configs:
            assert not config.autostart
            if group.name in scale.SCALABLE:
                assert config.stopwaitsecs > 360
                assert not config.stopasgroup, (
                    "SIGTERM must reach the parent alone, or jobs in its children are cut off"
                )


def test_the_configuration_for_a_real_server_is_one_supervisor_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
    parser.read(ROOT / "deploy/supervisor/carsbot.conf")
    for section in parser.sections():  # this machine does not have the folders and the user of a real server
        for name, value in (("directory", str(ROOT)), ("user", None), ("stdout_logfile", "/dev/null")):
            if parser.has_option(section, name):
                parser.remove_option(section, name) if value is None else parser.set(section, name, value)
    conf = tmp_path / "supervisord.conf"
    parser.add_section("supervisord")
    with conf.open("w") as file:
        parser.write(file)
    (group,) = supervisor_options(conf).process_group_configs
    assert group.name == "carsbot"
    names = {config.name for config in group.process_configs}
    assert {"carsbot-api", "carsbot-celery-beat", "carsbot-celery-worker_00", "carsbot-consumer_01"} <= names


def test_a_percent_sign_in_a_folder_of_a_real_server_reaches_the_program_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "100%20 %(x)s"
    (folder / "log").mkdir(parents=True)
    text = (ROOT / "deploy/supervisor/carsbot.conf").read_text(encoding="utf-8").replace("user=carsbot\n", "")
    for name, own in (("/var/log/carsbot", folder / "log"), ("/var/lib/carsbot", folder), ("/opt/carsbot", folder)):
        once, twice = str(own).replace("%", "%%"), str(own).replace("%", "%%%%")
        text = re.sub(rf"^(stdout_logfile=.*){name}", lambda m, t=twice: m[1] + t, text, flags=re.MULTILINE)
        text = text.replace(name, once)
    conf = tmp_path / "supervisord.conf"
    conf.write_text("[supervisord]\n" + re.sub(r"command=(\S.*?)/.venv", r"command='\1'/.venv", text), encoding="utf-8")
    (group,) = supervisor_options(conf).process_group_configs
    for config in group.process_configs:
        assert shlex.split(config.command)[0] == str(folder / ".venv/bin/python")
        assert config.environment["KIT_RUN_DIR"] == str(folder)
        assert config.stdout_logfile.startswith(str(folder / "log"))


def test_a_raw_worker_of_a_real_server_gets_as_long_to_finish_as_a_celery_worker() -> None:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
    parser.read(ROOT / "deploy/supervisor/carsbot.conf")
    section = parser["program:carsbot-consumer"]
    assert "--stop-seconds 365" in section["command"]
    assert int(section["stopwaitsecs"]) > 365


@pytest.mark.parametrize("value", ["it's", 'a"b', "100%", "%(x)s", "${HOME}", "a\\'b", "a\\b", "#x", " x ", "ключ"])
def test_a_setting_is_read_as_it_was_written_down(value: str, tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.write_env({"A": "1", "KIT_SECRET": value, "TELEGRAM_CHANNEL": "it's"})
    assert run.read_env() == {"A": "1", "KIT_SECRET": value, "TELEGRAM_CHANNEL": "it's"}
    assert read({"KIT_RUN_DIR": str(tmp_path)}, root=tmp_path).kit_secret == value


def test_processes_get_nothing_of_the_shell_but_what_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    monkeypatch.setenv("NO_PROXY", "example.org")
    given = environment(RunDir(tmp_path), {"RMQ_URL": "amqp://x"})
    assert "AWS_SECRET_ACCESS_KEY" not in given
    assert given["RMQ_URL"] == "amqp://x"
    assert given["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    assert given["KIT_RUN_DIR"] == str(tmp_path)


def test_inside_the_kit_the_shell_wins_over_what_up_wrote_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDir(tmp_path)
    run.write_env({"REDIS_URL": "redis://from-up", "KIT_URL": "http://from-up"})
    monkeypatch.setenv("REDIS_URL", "redis://from-shell")
    found = inside(run)
    assert (found["REDIS_URL"], found["KIT_URL"]) == ("redis://from-shell", "http://from-up")
    assert found["PATH"].split(os.pathsep)[:2] == [str(Path(sys.executable).parent), str(tmp_path / "bin")]


# ---------------------------------------------------------------- scale, up, down


def copies(*alive: int) -> list[Process]:
    return [process(f"consumer-{n}", "RUNNING" if n in alive else "STOPPED") for n in range(1, 5)]


@pytest.mark.parametrize(
    ("alive", "count", "started", "stopped"),
    [
        ((1,), 3, [2, 3], []),
        ((1, 2, 3), 1, [], [2, 3]),
        ((1, 3), 3, [2], []),
        ((1, 3), 2, [], []),
        ((2,), 0, [], [2]),
    ],
)
def test_scaling_keeps_what_runs(alive: tuple[int, ...], count: int, started: list[int], stopped: list[int]) -> None:
    more, fewer = scale.change(copies(*alive), count)
    assert [p.name for p in more] == [f"consumer-{n}" for n in started]
    assert [p.name for p in fewer] == [f"consumer-{n}" for n in stopped]


@pytest.mark.parametrize("wish", ["api=2", "consumer", "consumer=-1", "consumer=9", "consumer=two", "=3"])
def test_a_wish_that_makes_no_sense_is_refused_with_what_would(wish: str) -> None:
    with pytest.raises(Problem) as refusal:
        scale.parse([wish])
    assert refusal.value.code == 2
    assert refusal.value.remedy


def test_up_starts_one_of_each_and_leaves_what_is_optional() -> None:
    processes = [process(name, "STOPPED") for name in ("api", "flower", "consumer-1", "consumer-2")]
    assert [p.name for p in up.chosen(processes, [])] == ["api", "consumer-1"]
    assert [p.name for p in up.chosen(processes, ["flower"])] == ["flower"]
    assert [p.name for p in up.chosen(processes, ["consumer-2"])] == ["consumer-2"]


def test_a_broker_that_stops_is_safe_to_end_when_every_message_store_is_closed(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    stores = [tmp_path / "rabbitmq/data/kit@localhost/msg_stores/vhosts/X" / name
              for name in ("msg_store_persistent", "msg_store_transient")]  # fmt: skip
    assert not rabbitmq.data_is_safe(run)
    for store in stores:
        store.mkdir(parents=True)
    (stores[0] / "clean.dot").touch()
    assert not rabbitmq.data_is_safe(run)
    (stores[1] / "clean.dot").touch()
    assert rabbitmq.data_is_safe(run)


# ---------------------------------------------------------------- logs, doctor, help


def test_a_followed_log_prints_whole_lines_and_survives_rotation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "api.log"
    log.write_text("first\nhalf")
    position = logs.follow(log, 0, 3)
    assert capsys.readouterr().out == "api │ first\n"
    log.write_text("first\nhalf a line\n")
    position = logs.follow(log, position, 3)
    assert capsys.readouterr().out == "api │ half a line\n"
    log.write_text("new\n")
    logs.follow(log, position, 3)
    assert capsys.readouterr().out == "api │ new\n"


def test_the_doctor_finds_mistakes_in_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").touch()
    monkeypatch.setenv("KIT_ENV_FILE", str(tmp_path / ".env"))
    (tmp_path / ".env").write_text("# fine\nRMQ_ULR=amqp://x\nOPENAI_MODEL=ok\njust words\n")
    faults = list(machine.env_file(RunDir(tmp_path)))
    assert [fault.remedy for fault in faults] == ["sed -i 's/^RMQ_ULR=/RMQ_URL=/' .env", "sed -i 4d .env"]


def test_the_example_of_an_env_file_names_only_settings_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    (tmp_path / ".env").write_text(
        "\n".join(line.removeprefix("#") for line in lines if line.startswith("#") and line[1] != " ")
    )
    (tmp_path / ".env").touch()
    monkeypatch.setenv("KIT_ENV_FILE", str(tmp_path / ".env"))
    assert list(machine.env_file(RunDir(tmp_path))) == []


def test_every_command_of_the_help_exists_and_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (name for group in COMMANDS.values() for name in group):
        assert (ROOT / "commands" / f"{MODULES.get(name, name)}.py").exists()
        try:
            code: object = main([name, "--help"])
        except SystemExit as exit_:
            code = exit_.code
        assert code == 0
        assert f"kit {name}" in capsys.readouterr().out


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dance"]) == 2
    assert "./kit --help" in capsys.readouterr().err


def test_tables_and_bars_line_up() -> None:
    assert table([("a", 10), ("bbb", 5)], ("x", "n"), right=(1,)) == "x     n\na    10\nbbb   5"
    assert [bar(0, 4, 4), bar(2, 4, 4), bar(9, 4, 4), bar(0, 0, 4)] == ["░░░░", "██░░", "████", "████"]
