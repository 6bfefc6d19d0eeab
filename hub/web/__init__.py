"""Pages for people: the portal, the console and GraphiQL, with the files that they load."""
