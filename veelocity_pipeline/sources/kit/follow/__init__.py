"""Ways to follow a list from one refresh to the next, for every vendor."""
