"""Floor 2: projects, their members and roles, background work."""
