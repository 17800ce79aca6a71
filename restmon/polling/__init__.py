"""The checker: asks each store's own address, and stores what it finds as polls."""
