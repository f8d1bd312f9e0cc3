"""Veelocity: how a software team delivers, from its own GitHub, GitHub Actions and Linear."""
