"""One leader: only one connection can have the exclusive queue, and when it dies the queue is free again."""

import os
import time

import pika

from experiments.evidence import note

connection = pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))
channel = connection.channel()
channel.queue_declare("ticks", durable=True)
note("worker ready")
leads = False
while True:
    time.sleep(0.25 - time.time() % 0.25)
    connection.process_data_events(0)
    if not leads:
        try:
            leads = bool(connection.channel().queue_declare("leader", exclusive=True))
        except pika.exceptions.ChannelClosedByBroker:  # 405: somebody else has it
            continue
    channel.basic_publish("", "ticks", b"{}")
    note("published")
