"""The numbers: arrays in, arrays out. No database, no clock, no settings."""
