"""A simulated Linear over the organisation."""
