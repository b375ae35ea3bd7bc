"""Benchmarks: what the speed claims rest on, each measured beside what it is compared with."""
