"""The studio's own code that reads pictures: these are its files, linked."""
