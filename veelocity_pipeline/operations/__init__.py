"""What keeps the pipeline going by itself: when to start what, what changed upstream, whom to tell of trouble.

Decisions are pure functions of facts that ``defs/sensors.py`` collects; nothing in here knows of the orchestrator.
"""
