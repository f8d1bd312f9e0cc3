"""Everything that may go wrong while a refresh runs, and what becomes of it. ``make faults`` prints the table."""
