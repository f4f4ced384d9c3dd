"""A campaign against a running studio: random operations, random faults, and what must hold after each."""
