"""The partner network hub: one catalogue and one referral ledger for a network of export helpers."""
