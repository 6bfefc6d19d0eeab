"""HTTP beside GraphQL: events in, receipts, the ledger, health."""
