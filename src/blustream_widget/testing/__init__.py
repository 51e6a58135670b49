"""Fakes, contract suites, volumes by formula, a JupyterLab to test in: also for plug-in authors."""
