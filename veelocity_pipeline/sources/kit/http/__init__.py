"""Requests: retries, budgets, accounts, paging, bounds on answers."""
