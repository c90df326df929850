"""The shared contract of the platform: settings, events, feeds, areas, catalogue, errors.

Knows no service: `connectors`, `streams` and `grafana` import it, never the other way round.
"""

__version__ = "0.1.0"
