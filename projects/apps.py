from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"

    def ready(self) -> None:
        from accounts.services import INVITATIONS, Invitations
        from jobs.services import ON_DELETE
        from projects import invitation_links, limits, live, receivers  # noqa: F401 - connects the signals
        from projects.changes import jobs  # noqa: F401 - registers its kind
        from projects.trash import projects as trash_projects
        from storage.resumable import BEFORE_UPLOAD

        trash_projects.register()
        ON_DELETE.append(live.announce_deleted_job)
        BEFORE_UPLOAD.append(limits.require_user_bytes)
        INVITATIONS.append(Invitations(check=invitation_links.link_with, accept=invitation_links.join))
