"""Each device keeps what it was told to run; until now that was worked out from its group at every poll."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("edge", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="device", name="is_stopped", field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="device", name="sequence_floor", field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="device",
            name="target",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                to="edge.deployment",
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="previous_target",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                to="edge.deployment",
            ),
        ),
    ]
