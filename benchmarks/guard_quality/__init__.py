"""Guard quality: what warnings and forecasts are worth, over account years that nobody acts in.

A failed charge was *foreseeable* if the mean burn of the seven days before took the balance under
the trigger, within the horizon of `card-short`, as seen six hours before the charge. A warning was
*false* if no charge failed within its horizon; the operator here acts only after a charge failed,
so nobody had acted. `python -m benchmarks.guard_quality` prints the table.
"""
