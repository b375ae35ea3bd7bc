"""Guard quality: what warnings and forecasts are worth, over account years that nobody acts in.

A failed charge was *foreseeable* if the mean burn of the seven days before took the balance under
the trigger, within the horizon of `card-short`, as seen six hours before the charge; it was `sudden`
if the charge failed before that burn had it tried, as one does within hours of a leak. A warning was
*false* if no charge failed within its horizon; the operator here acts only after a charge failed,
so nobody had acted. `python -m benchmarks.guard_quality` prints the table.
"""
