"""The files under `VEELOCITY_HOME`: who may write, what was read, how a build is published. Knows no source."""
