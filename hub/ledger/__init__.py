"""The transparency ledger: an append-only Merkle tree that partners check instead of trusting.

merkle: hashing and verification (all that a partner's client needs, with checkpoint). tree: append and
prove, on tiles. tiles: the public paths and bytes. checkpoint: the signed size and root.
"""
