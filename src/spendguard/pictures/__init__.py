"""Pictures: values to PNG and SVG, on a light or a dark ground; Matplotlib lives here."""

from spendguard.pictures.balance import draw_balance
from spendguard.pictures.spend import draw_spend
from spendguard.pictures.values import BalancePicture, Bar, Fan, Mark, MarkKind, SpendPicture

__all__ = [
    "BalancePicture",
    "Bar",
    "Fan",
    "Mark",
    "MarkKind",
    "SpendPicture",
    "draw_balance",
    "draw_spend",
]
