"""Stores' groups and business hours."""
