"""`manage.py studio`: everything in one terminal. Needs no Django itself; it starts processes that do."""

from mlstudio.launcher.studio import main

__all__ = ["main"]
