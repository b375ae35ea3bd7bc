"""Pipeline: the four verbs poll, evaluate, deliver and retain."""
