"""The second lane: what Celery does for a job, done by hand on pika.

Follow one message: `publisher.py` sends it, `topology.py` says where to, `consumer.py` receives it, runs it and
settles it as `settlement.py` decides. `pool.py` keeps the processes alive that do so.
"""
