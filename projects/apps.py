from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"

    def ready(self) -> None:
        from accounts.services import INVITATIONS, Invitations
        from projects import invitation_links, limits, receivers, webhooks, work  # noqa: F401 - connects the signals
        from projects.changes import jobs  # noqa: F401 - registers its kind
        from projects.trash import projects as trash_projects
        from storage.resumable import BEFORE_UPLOAD

        trash_projects.register()
        work.ON_END.append(webhooks.announce_work)
        BEFORE_UPLOAD.append(limits.require_user_bytes)
        INVITATIONS.append(Invitations(check=invitation_links.link_with, accept=invitation_links.join))
