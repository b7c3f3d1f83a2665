"""The controller, and what it runs: sources, teams, executors, checks."""
