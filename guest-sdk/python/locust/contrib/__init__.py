"""Other clients."""
