"""Values of the domain: pure, stdlib only, no clock, no file, no socket."""
