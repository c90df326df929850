"""Connections to PostgreSQL, and the migrations."""
