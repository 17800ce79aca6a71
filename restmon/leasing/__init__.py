"""Who works on a job: leases and heartbeats."""
