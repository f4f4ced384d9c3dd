"""Floor 1: users and their tokens."""
