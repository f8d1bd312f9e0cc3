"""The assets: what is loaded, what is built, what is published."""
