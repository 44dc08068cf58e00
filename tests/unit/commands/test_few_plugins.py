"""A RabbitMQ with few plugins: what a node needs is there, the rest is not, and an unknown layout is left alone."""

from pathlib import Path

import pytest

from commands.servers.few_plugins import home_for

NEEDS = {
    "rabbit": ["kernel", "rabbit_common", "ra"],
    "rabbit_common": ["stdlib"],
    "ra": ["aten"],
    "aten": [],
    "rabbitmq_management": ["rabbit", "cowboy"],
    "cowboy": ["ranch"],
    "ranch": ["ssl"],
    "rabbitmq_stomp": ["rabbit", "jose"],
    "jose": [],
}


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """An installed RabbitMQ, as far as its layout goes: a link leads to its start script."""
    home = tmp_path / "lib" / "rabbitmq_server-9.9.9"
    for folder in ("sbin", "escript"):
        (home / folder).mkdir(parents=True)
    (home / "sbin" / "rabbitmq-server").write_text("#!/bin/sh\n")
    for name, needs in NEEDS.items():
        ebin = home / "plugins" / f"{name}-1.0" / "ebin"
        ebin.mkdir(parents=True)
        listed = ",\n  ".join(needs)
        (ebin / f"{name}.app").write_text(f"{{application, {name}, [{{applications, [{listed}]}}]}}.\n")
    link = tmp_path / "bin"
    link.symlink_to(home / "sbin" / "rabbitmq-server")
    return link


def plugins(home: Path | None) -> set[str]:
    assert home is not None
    return {link.name for link in (home / "plugins").iterdir() if (link / "ebin").is_dir()}


def test_a_node_has_what_it_needs_and_nothing_else(server: Path, tmp_path: Path) -> None:
    home = home_for(server, tmp_path / "few")

    assert plugins(home) == {f"{name}-1.0" for name in NEEDS.keys() - {"rabbitmq_stomp", "jose"}}
    assert home
    assert (home / "sbin" / "rabbitmq-server").read_text() == "#!/bin/sh\n"
    assert not (home / "sbin" / "rabbitmq-server").is_symlink()
    assert (home / "escript").is_dir()


def test_it_is_kept_for_the_next_start_and_made_again_after_a_change(server: Path, tmp_path: Path) -> None:
    home = home_for(server, tmp_path / "few")
    assert home
    (home / "kept").touch()
    assert home_for(server, tmp_path / "few") == home
    assert (home / "kept").exists()

    installed = server.resolve().parents[1]
    installed.rename(installed.with_name("rabbitmq_server-9.9.10"))
    server.unlink()
    again = home_for(installed.with_name("rabbitmq_server-9.9.10") / "sbin" / "rabbitmq-server", tmp_path / "few")
    assert "rabbit-1.0" in plugins(again)
    assert not home.exists()


@pytest.mark.parametrize("gone", ["escript", "plugins/rabbit-1.0", "plugins/rabbitmq_management-1.0"])
def test_another_layout_is_left_alone(server: Path, tmp_path: Path, gone: str) -> None:
    place = server.resolve().parents[1] / gone
    place.rename(tmp_path / "gone")

    assert home_for(server, tmp_path / "few") is None
    assert not (tmp_path / "few").exists()
