"""Forecast: from what was spent to how spend goes on. Pure; NumPy lives here, loaded when used."""

from __future__ import annotations

from spendguard.forecast.foresee import foresee

__all__ = ["foresee"]
