"""Two schedulers: each publishes every tick."""

import os
import time

import pika

from experiments.evidence import note

connection = pika.BlockingConnection(pika.URLParameters(os.environ["RMQ_URL"]))
channel = connection.channel()
channel.queue_declare("ticks", durable=True)
note("worker ready")  # antipattern: two-schedulers
while True:
    connection.sleep(1.0 - time.time() % 1.0)
    channel.basic_publish("", "ticks", b"{}")
    note("published")
