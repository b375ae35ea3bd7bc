"""Simulator: a billing world over real HTTP on loopback, for the demo and the tests."""

from spendguard.simulator.cards import Card
from spendguard.simulator.faults import LEGAL, Fault
from spendguard.simulator.mails import Organization, mails
from spendguard.simulator.meter import Count
from spendguard.simulator.server import Simulator
from spendguard.simulator.sheet import Metered
from spendguard.simulator.traffic import Stream, feed, leaked, restate_at_random
from spendguard.simulator.wallets import DeepSeek, OpenRouter
from spendguard.simulator.world import World

__all__ = [
    "LEGAL",
    "Card",
    "Count",
    "DeepSeek",
    "Fault",
    "Metered",
    "OpenRouter",
    "Organization",
    "Simulator",
    "Stream",
    "World",
    "feed",
    "leaked",
    "mails",
    "restate_at_random",
]
