"""Storage: engines, tables and, a file a noun, domain values in and out."""
