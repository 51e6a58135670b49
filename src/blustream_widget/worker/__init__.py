"""The worker process: reads, draws and encodes for one session."""
