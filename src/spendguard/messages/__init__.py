"""Messages: values and reason become a title and a body, in each language."""

from __future__ import annotations

from spendguard.messages.render import Message, render, summary

__all__ = ["Message", "render", "summary"]
