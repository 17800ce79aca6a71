"""Roles, accounts, sessions, keys, the audit, and what an actor sees."""
