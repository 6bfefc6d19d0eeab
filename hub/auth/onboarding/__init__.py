"""Clients' keys, what they may be granted, and applications of new partners."""
