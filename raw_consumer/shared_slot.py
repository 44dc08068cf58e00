"""Shared slot: a child writes its job into shared memory, and its parent reads it (`pool.py`)."""

import ctypes


class Slot(ctypes.Structure):
    """One child's line in the shared memory. The child writes it, the parent reads it."""

    _fields_ = (
        ("run_id", ctypes.c_char * 36),
        ("job", ctypes.c_char * 64),
        ("began", ctypes.c_double),  # monotonic seconds; 0 when idle
        ("hard_limit", ctypes.c_double),  # seconds
        ("jobs_done", ctypes.c_uint64),
    )
    run_id: bytes
    job: bytes
    began: float
    hard_limit: float
    jobs_done: int
