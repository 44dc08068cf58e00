"""Setup: parts beside a message's way. They are log lines, a broker's address for pika, and two mends of pika."""
