"""Sent inside the transaction of what they are about, for apps above."""

from django.dispatch import Signal

work_ended = Signal()  # keyword: work, of any kind; `sender` is its model
job_deleted = Signal()  # keyword: job, which a user has deleted: it is there until the transaction ends
