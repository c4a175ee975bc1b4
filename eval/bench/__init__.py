"""Benchmarks: Saem beside other systems, on the same cores in turn (`make bench`)."""
