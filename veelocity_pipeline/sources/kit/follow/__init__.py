"""Ways to follow a list from one refresh to the next, whoever's list it is."""
