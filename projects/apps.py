from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"

    def ready(self) -> None:
        from accounts.services import INVITATIONS, Invitations
        from projects import invitation_links, receivers  # noqa: F401 - connects the signals
        from projects.changes import jobs  # noqa: F401 - registers its kind
        from projects.trash import projects as trash_projects

        trash_projects.register()
        INVITATIONS.append(Invitations(check=invitation_links.link_with, accept=invitation_links.join))
