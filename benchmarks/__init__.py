"""Measurements of the load generator itself, against an emitter whose write times are known."""
