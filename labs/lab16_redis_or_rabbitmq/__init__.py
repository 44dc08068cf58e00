"""Redis or RabbitMQ."""
