"""Dashboards and alert rules as code, generated from the catalogue and provisioned to Grafana."""
