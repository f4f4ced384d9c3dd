"""Projects, and who may do what in them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from jobs.models import Identified

# Their tables are this app's.
from projects.changes.models import Change as Change
from projects.changes.models import RowChange as RowChange
from projects.roles import Role as Role
from projects.trash.models import TrashedMember as TrashedMember
from projects.trash.models import TrashEntry as TrashEntry


class Task(models.TextChoices):
    """What the images of a project are labelled for: one label each, none to many labels, or boxes with labels."""

    CLASSIFICATION = "classification"
    MULTILABEL = "multilabel", "Multilabel classification"
    DETECTION = "detection"

    @property
    def has_boxes(self) -> bool:
        return self is Task.DETECTION

    @property
    def has_single_labels(self) -> bool:
        """Whether an image has at most one annotation."""
        return self is Task.CLASSIFICATION

    @property
    def can_be_empty(self) -> bool:
        """Whether an image that was looked at and has no annotation says something: there is nothing on it."""
        return self is not Task.CLASSIFICATION


# For queries: the tasks in which an image without annotations may be one that shows nothing.
TASKS_WITH_EMPTY_IMAGES = tuple(task.value for task in Task if task.can_be_empty)


class Project(Identified):
    """What a user works on. The counts are kept by the services that add and remove, so that lists stay cheap."""

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, max_length=5000)
    task = models.CharField(max_length=20, choices=Task.choices, default=Task.CLASSIFICATION)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="projects")
    label_count = models.PositiveIntegerField(default=0, editable=False)
    dataset_count = models.PositiveIntegerField(default=0, editable=False)
    image_count = models.PositiveIntegerField(default=0, editable=False)
    model_count = models.PositiveIntegerField(default=0, editable=False)
    last_model_version = models.PositiveIntegerField(default=0, editable=False)
    # Set: nobody sees it any more, and its rows are being removed (see `projects.removal`).
    deleting_since = models.DateTimeField(null=True, editable=False, db_index=True)
    # Set: it is in the trash, or holds what was deleted of the project `trash_of`; nobody sees it (`projects.trash`).
    trashed_since = models.DateTimeField(null=True, editable=False)
    trash_of = models.OneToOneField("self", null=True, editable=False, on_delete=models.CASCADE, related_name="trash")

    class Meta:
        indexes = [models.Index(fields=["name", "id"])]

    def __str__(self) -> str:
        return self.name

    @property
    def project(self) -> Project:
        """Every object that belongs to a project says so under the same name."""
        return self

    @property
    def kind(self) -> Task:
        """Its task, with what that means for its images."""
        return Task(self.task)


class Membership(Identified):
    """A user's role in a project. A project always has at least one owner."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.EDITOR)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_role_a_member")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class Invitation(Identified):
    """Somebody was asked into a project. `user` is the account that had the name when it was asked, if there was one:
    someone who takes the name later is not meant. Declined ones stay as they are for those who asked."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    username = models.CharField(max_length=150)
    name_key = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitations"
    )
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.EDITOR)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    is_declined = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name_key"], name="one_invitation_a_name")]
        indexes = [models.Index(fields=["expires_at"])]

    def __str__(self) -> str:
        return f"{self.username} is asked into {self.project}"


class InvitationLink(Identified):
    """A way into a project for all who have the link, for some uses and some days. `digest` is of the secret in it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitation_links")
    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.EDITOR)
    uses_left = models.PositiveIntegerField(default=1)
    email = models.EmailField(max_length=254, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"])]

    def __str__(self) -> str:
        return f"link into {self.project}"


class ProjectEvent(models.Model):
    """Something in a project has changed; the stream that its members follow. Kept for a day.

    `project` is no reference: the end of a project is such an event too.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.UUIDField()
    kind = models.CharField(max_length=20)
    content = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.kind} in {self.project}"
