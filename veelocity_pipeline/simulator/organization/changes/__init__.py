"""Changes that can be made to an organisation one at a time, for tests."""
