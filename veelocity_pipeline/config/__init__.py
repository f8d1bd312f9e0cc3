"""What users set: the settings, the rules made of them, and schedules. Imports nothing but `safety`."""
