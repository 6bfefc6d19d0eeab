"""Chaos: a real hub of several processes under load and under faults, and what must hold all the same."""
