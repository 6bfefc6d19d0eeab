"""Who is asking: the authorization server, client keys, proofs of possession and the check of every token."""
