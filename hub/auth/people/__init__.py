"""People who sign in: passwords, second factors, sessions, and accounts with other providers."""
