"""Reads scopes side by side and loads their rows with dlt; marks move with their rows."""
