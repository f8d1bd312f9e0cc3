"""The sources: fetch, shape, load. Nothing in here knows of the orchestrator."""
