"""Faults 18 and 19: a bad network between all processes and the broker. A proxy plays it."""

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import JOBS, PROCESSES
from tests.faults.evidence import Evidence
from tests.faults.proxy import Proxy
from tests.faults.trial import Trial
from tests.kit import Kit, running, until

NETWORK = pytest.mark.fault(18, "the network: cut, reset, half-open, late, sliced")
CONFIRM_LOST = pytest.mark.fault(19, "confirms are lost")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy in front of a broker of these tests."""
    with running(tmp_path_factory.mktemp("broker"), "rabbitmq") as broker:
        address = urlsplit(Evidence(broker.environment).settings.rmq_url)
        made = Proxy((str(address.hostname), int(address.port or 0)))
        yield made
        made.close()


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory, proxy: Proxy) -> Iterator[Kit]:
    """A kit that reaches its broker only through the proxy."""
    url = f"amqp://student:qwerty@127.0.0.1:{proxy.port}/"
    processes = [name for name in PROCESSES if name != "rabbitmq"]
    with running(tmp_path_factory.mktemp("broken"), *processes, EXTRA_JOBS=JOBS, RMQ_URL=url) as up:
        yield up


@pytest.fixture(autouse=True)
def mended(proxy: Proxy) -> Iterator[None]:
    """Repair the network after each test."""
    yield
    proxy.mode, proxy.refusing = "pass", False
    proxy.forget_broken()


def cut(proxy: Proxy) -> None:
    """End all connections, and refuse new ones for some seconds."""
    proxy.refusing = True
    proxy.cut()
    time.sleep(5)
    proxy.refusing = False


def reset(proxy: Proxy) -> None:
    """Reset all connections, five times in a row."""
    for _ in range(5):
        proxy.reset()
        time.sleep(1)


def late(proxy: Proxy) -> None:
    """Delay everything."""
    proxy.mode = "delay"
    time.sleep(10)
    proxy.mode = "pass"


def sliced(proxy: Proxy) -> None:
    """Send everything in little pieces."""
    proxy.mode = "slice"
    time.sleep(8)
    proxy.mode = "pass"


def half_open(proxy: Proxy) -> None:
    """Let the existing connections carry nothing any more, and tell nobody. New connections work."""
    proxy.mode = "swallow"
    time.sleep(10)
    proxy.mode = "pass"


def depths_are_known(trial: Trial) -> bool:
    """Return whether the brokers answer the API's question. If it hangs, the reconciler hangs with it."""
    lanes = trial.http.get("/api/queues").json()
    return all(depth is not None for queues in lanes.values() for depth in queues.values())


@NETWORK
@pytest.mark.parametrize(
    ("fault", "within"),
    [
        (cut, 60),
        (reset, 60),
        (late, 60),
        (sliced, 60),
        (half_open, 120),  # two missed heartbeats of 20 s tell that nobody is there
    ],
)
def test_whatever_the_network_does_every_accepted_run_is_done(
    trial: Trial, proxy: Proxy, fault: Callable[[Proxy], None], within: float
) -> None:
    with trial.load():
        trial.reach("DONE", 4)
        fault(proxy)
    trial.healed()

    trial.survives(within=within)
    assert trial.slowest < 3.0, "a submit waited for the broker"
    until(lambda: depths_are_known(trial), 60, "the API knows again how many messages wait")


@CONFIRM_LOST
def test_a_lost_confirm_makes_a_copy_and_never_a_loss_or_a_second_effect(trial: Trial, proxy: Proxy) -> None:
    with trial.load():
        trial.reach("DONE", 4)
        proxy.mode = "drop replies"
        time.sleep(12)  # longer than anybody waits for a confirm
        proxy.mode = "pass"
        proxy.forget_broken()
    trial.healed()

    trial.survives(within=90)
