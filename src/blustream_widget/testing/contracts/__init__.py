"""Contract suites: what every implementation of a plug-in point must pass."""
