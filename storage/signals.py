"""Sent before a file is announced, for apps above that count what users have."""

from django.dispatch import Signal

upload_starting = Signal()  # keywords: user, length in bytes; a receiver may refuse by raising an APIException
