"""Notify: how a message leaves the house."""
