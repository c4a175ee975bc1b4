"""Measurement: datasets, runs, metrics and benchmarks. Nothing of the service knows it."""
