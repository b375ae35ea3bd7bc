"""spendguard: warns before the card is charged, before a charge fails, before the credit ends."""

__version__ = "0.1.0"
