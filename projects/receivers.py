from django.db.models.signals import post_delete
from django.dispatch import receiver

from accounts.signals import account_deleting
from projects.models import Work
from projects.removal import delete_events_of
from projects.services import leave_all_projects
from projects.trash.projects import remove_projects_in_trash_of


@receiver(account_deleting)
def leave_projects(sender, user, **kwargs) -> None:
    leave_all_projects(user=user)
    remove_projects_in_trash_of(user)


@receiver(post_delete)
def delete_events(sender, instance, **kwargs) -> None:
    """Of every kind of work, however it is deleted."""
    if issubclass(sender, Work):
        delete_events_of(instance)
