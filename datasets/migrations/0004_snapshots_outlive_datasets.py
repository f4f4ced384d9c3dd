import django.db.models.deletion
from django.db import migrations, models


def fill_project(apps, schema_editor):
    Snapshot, Dataset = apps.get_model("datasets", "Snapshot"), apps.get_model("datasets", "Dataset")
    project = Dataset.objects.filter(pk=models.OuterRef("dataset")).values("project")
    Snapshot.objects.update(project=models.Subquery(project))


class Migration(migrations.Migration):
    dependencies = [("datasets", "0003_videos_and_uploads"), ("projects", "0006_invitations")]

    operations = [
        migrations.AddField(
            "snapshot",
            "project",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="projects.project"),
        ),
        migrations.AddField(
            "snapshot", "dataset_name", models.CharField(blank=True, default="", max_length=100), preserve_default=False
        ),
        migrations.RunPython(fill_project, migrations.RunPython.noop),
    ]
