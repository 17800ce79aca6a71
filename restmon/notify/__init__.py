"""Telling people: rules, what is due, the outbox, delivery."""
