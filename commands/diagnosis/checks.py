"""The table of `kit doctor`'s checks, in the order in which it prints them."""

from collections.abc import Callable, Iterator

from commands.common.state import RunDir
from commands.diagnosis import at_work, machine, running
from commands.diagnosis.fault import Fault

Check = Callable[[RunDir], Iterator[Fault]]

CHECKS: dict[str, Check] = {
    "packages": machine.packages,
    ".env": machine.env_file,
    "settings": machine.settings,
    "RabbitMQ and Redis": machine.servers,
    "disk": machine.disk,
    "leftovers": machine.leftovers,
    "experiments": machine.experiments,
    "ports": machine.taken_ports,
    "database": machine.database,
    "processes": running.processes,
    "connections": running.brokers,
    "spreadsheet": running.spreadsheet,
    "queues": running.queues,
    "clock": machine.clocks,
    "workers": at_work.workers,
    "progress": at_work.progress,
    "crashes": at_work.crashes,
    "dead letters": at_work.dead_letters,
}
