"""Sent before an account goes, for rooms above that hold what belongs to it."""

from django.dispatch import Signal

account_deleting = Signal()  # keyword: user; a receiver may refuse by raising a StudioError
