"""Measurements: what a refresh asks for and how long it takes. Run with ``make bench``; no test looks at seconds."""
