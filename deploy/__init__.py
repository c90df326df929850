"""The local stack: set-up, servers and services as processes, and the command line that composes it all."""
