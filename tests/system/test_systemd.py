"""A real systemd: the service as it is installed, in a machine of its own."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from spendguard.app.clock import utc_now
from spendguard.simulator import Simulator, World
from tests.ends import HttpEnd
from tests.system.machine import HOME, Machine, wanting
from tests.system.program import KEY

UNIT = "spendguard.service"
SPENDGUARD = HOME / "bin" / "spendguard"
CREDENTIALS = "/etc/spendguard/credentials"
CONFIG = "/etc/spendguard/config.toml"
DROPIN = f"/etc/systemd/system/{UNIT}.d/test.conf"
LOW = "WARNING balance-low openai-main"
WHY = wanting()

if WHY:
    warnings.warn(f"NOT TESTED with a real systemd: {WHY}", UserWarning, stacklevel=1)
