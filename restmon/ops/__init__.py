"""Running restmon: backup, retention, clean-up, status, metrics, processes."""
