"""The performance bars, each beside the floor that it is measured against.

A bar is a ratio in one run: what the product takes, divided by what a hand-written script with the same guarantees
takes (`floors/`), both measured in turns on the same disk, so that a slow machine or a busy minute hits both. CPU time
is taken where a bar is about work, wall time where it is about waiting. Nothing here asserts a time: `python -m
tests.benchmarks` prints a table (or JSON), and its exit status says whether every bar was met.
"""
