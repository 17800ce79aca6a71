"""restmon: how often, and for how long, restaurants were offline in business hours."""

__version__ = "0.1.0"
