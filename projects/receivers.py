from django.dispatch import receiver

from accounts.signals import account_deleting
from projects.services import leave_all_projects
from projects.trash.projects import remove_projects_in_trash_of


@receiver(account_deleting)
def leave_projects(sender, user, **kwargs) -> None:
    leave_all_projects(user=user)
    remove_projects_in_trash_of(user)
