"""The ground of experiments: the servers that an experiment needs, and no others."""

from experiments.ground import ground


def test_an_experiment_on_redis_gets_no_rabbitmq() -> None:
    with ground("redis") as servers:
        assert not (servers.folder / "run" / "logs" / "rabbitmq.log").exists()
        with servers.stage("any", "redis") as stage:
            stage.send("a task")
            assert stage.waiting() == 1
            assert stage.posts() == []
