"""What guards the machine and its secrets: private files, redaction, text from outside, logs."""
