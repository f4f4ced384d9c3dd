"""The models of jobs and webhooks belong to apps of their own. Their tables stay as they are; what the admin's log and
the permissions say of them follows."""

from django.db import migrations

LEAVE = {"jobs": ("job", "jobfile", "workevent"), "webhooks": ("webhook", "webhookdelivery")}
NAMES = ("WebhookDelivery", "Webhook", "JobFile", "WorkEvent", "Job")


def move(apps, schema_editor) -> None:
    for app, models in LEAVE.items():
        _rename(apps, schema_editor, "projects", app, models)


def move_back(apps, schema_editor) -> None:
    for app, models in LEAVE.items():
        _rename(apps, schema_editor, app, "projects", models)


def _rename(apps, schema_editor, before: str, after: str, models: tuple[str, ...]) -> None:
    rows = apps.get_model("contenttypes", "ContentType").objects.using(schema_editor.connection.alias)
    for row in rows.filter(app_label=before, model__in=models):
        # One that is there already was made by Django alone, and nothing refers to it.
        rows.filter(app_label=after, model=row.model).delete()
        rows.filter(pk=row.pk).update(app_label=after)


class Migration(migrations.Migration):

    dependencies = [
        ('contenttypes', '0002_remove_content_type_name'),
        ('projects', '0013_job_video'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name) for name in NAMES]),
        migrations.RunPython(move, move_back),
    ]
