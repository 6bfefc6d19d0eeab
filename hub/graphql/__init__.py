"""The GraphQL gateway: one set of types, a schema for each audience, limits and the HTTP transport."""
