"""Work of the jobs in both lanes: keep a line in Django's database, and publish it in the channel."""

from django.db import connection

from experiments.messenger import post


def keep_and_publish(line: str) -> str:
    """Keep the line, publish it and return it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS lines (line TEXT)")
        cursor.execute("INSERT INTO lines VALUES (%s)", [line])
    post(line)
    return line
