"""The authorization server: clients get, end and examine tokens."""
