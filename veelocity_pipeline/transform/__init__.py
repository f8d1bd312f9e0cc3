"""The dbt project and how it is built: what dbt parsed of it, what changed since the last build, and dbt itself.

Knows the warehouse and what the sources load, and nothing of Dagster.
"""
