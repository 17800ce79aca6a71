"""The queue: what runs in workers, and how it is asked for."""
