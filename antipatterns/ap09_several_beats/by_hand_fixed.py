"""One leader: only one connection can have the exclusive queue; the other scheduler stands by until it is free."""

import os
import time

import pika

from experiments.evidence import note

connection = pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))
channel = connection.channel()
channel.queue_declare("ticks", durable=True)
note("worker ready")
leads = False
while not leads:
    try:
        leads = bool(connection.channel().queue_declare("leader", exclusive=True))
    except pika.exceptions.ChannelClosedByBroker:  # 405: another connection has it
        connection.sleep(0.05)
while True:
    connection.sleep(1.0 - time.time() % 1.0)
    channel.basic_publish("", "ticks", b"{}")
    note("published")
