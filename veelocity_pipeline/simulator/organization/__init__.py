"""The life of one organisation: what is true in it, how that came about, and what may change next."""
