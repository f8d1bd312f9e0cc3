"""The read side: everything here opens the published file and nothing else."""
