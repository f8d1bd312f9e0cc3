"""What every source shares: tables, the HTTP client, marks. Knows no vendor."""
