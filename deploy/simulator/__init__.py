"""A simulated province: its systems publish October 2024 through the gateway, with all that goes wrong."""
