"""What restmon costs, measured against baselines taken in the same run."""
