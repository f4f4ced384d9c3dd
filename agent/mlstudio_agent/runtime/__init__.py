"""The studio's own code that runs networks: these are its files, linked."""
