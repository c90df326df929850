"""`ioc demo`: the simulated province on the real stack, a live table, and an account that must balance."""
