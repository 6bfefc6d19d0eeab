"""The rules of the network, pure: a file a noun with its payloads, its state and its fold."""
