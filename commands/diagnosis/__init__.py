"""Diagnosis: the checks of `kit doctor`."""
