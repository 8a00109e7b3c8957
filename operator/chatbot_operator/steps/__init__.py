"""The steps of a pass: each observes, compares, and writes only the difference."""
