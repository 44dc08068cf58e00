"""The raw lane: a hand-written consumer on pika does for a job what Celery does.

Follow one message: `publisher.py` sends it, `topology.py` names its exchange and key, `consumer.py` takes it and runs
it, and `settlement.py` decides its end. `pool.py` starts and watches the processes. Begin with `hello.py`.
"""
