"""Statuses of indicators, incidents, and who got a message: the scheduler and the tables that it keeps current."""
