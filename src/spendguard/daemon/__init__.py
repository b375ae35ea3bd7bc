"""Daemon: the verbs over what is due, for years: signals, schedule, liveness, log."""
