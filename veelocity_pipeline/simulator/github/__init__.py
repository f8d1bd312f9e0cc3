"""A simulated GitHub over the organisation."""
