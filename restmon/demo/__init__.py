"""The demo stores and the generator that makes them."""
