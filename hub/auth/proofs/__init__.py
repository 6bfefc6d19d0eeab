"""What a request proves of its sender: signed statements, proofs of possession, nonces, single use."""
