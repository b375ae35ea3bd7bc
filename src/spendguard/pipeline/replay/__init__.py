"""Replay: spend is played as if it were live, and what the guard would have said is listed.

`play` drives a billing world as the truth, what can be seen of it as the guard sees it, and the
real rules and alerts as an evaluation does. `recorded` does the same over a history whose charges
are known. Neither reads a clock.
"""

from spendguard.pipeline.replay.desk import Told
from spendguard.pipeline.replay.outcomes import Outcome, Outcomes, outcomes
from spendguard.pipeline.replay.play import Life, Played, Scenario, live, play, watched
from spendguard.pipeline.replay.recorded import recorded
from spendguard.pipeline.replay.stored import CardLine, Stored, read_cards, read_stored
from spendguard.pipeline.replay.supposed import supposable, supposed
from spendguard.pipeline.replay.supposing import supposing
from spendguard.pipeline.replay.trace import TraceError, read_trace
from spendguard.pipeline.replay.watch import Foreseen

__all__ = [
    "CardLine",
    "Foreseen",
    "Life",
    "Outcome",
    "Outcomes",
    "Played",
    "Scenario",
    "Stored",
    "Told",
    "TraceError",
    "live",
    "outcomes",
    "play",
    "read_cards",
    "read_stored",
    "read_trace",
    "recorded",
    "supposable",
    "supposed",
    "supposing",
    "watched",
]
