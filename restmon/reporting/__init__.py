"""From a snapshot of the data to reports, fleet figures and one store's timeline."""
