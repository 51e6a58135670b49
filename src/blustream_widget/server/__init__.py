"""The server process: sockets, tokens, routes, and how a kernel finds it."""
