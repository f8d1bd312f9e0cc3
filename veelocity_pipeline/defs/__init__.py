"""Dagster's side: thin wrappers that make assets, jobs and schedules of what the other modules do."""
