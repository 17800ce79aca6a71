"""The tests' tools."""
