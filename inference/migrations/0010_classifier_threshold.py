from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inference", "0009_suspect_decisions")]

    operations = [
        migrations.AddField(
            model_name="model", name="score_threshold", field=models.FloatField(blank=True, null=True)
        ),
    ]
