"""Servers: the parts that find, start, watch and end RabbitMQ, Redis and the processes of the kit."""
