"""Check-then-act idempotency."""
