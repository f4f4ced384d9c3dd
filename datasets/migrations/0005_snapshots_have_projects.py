import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """In a transaction of its own: PostgreSQL does not alter a table whose rows were just changed."""

    dependencies = [("datasets", "0004_snapshots_outlive_datasets")]

    operations = [
        migrations.AlterField(
            "snapshot",
            "project",
            models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="projects.project"),
        ),
        migrations.AlterField(
            "snapshot",
            "dataset",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="snapshots", to="datasets.dataset"
            ),
        ),
    ]
