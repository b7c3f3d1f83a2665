"""The controller and all that acts in its name: sources, teams, executors, checks."""
