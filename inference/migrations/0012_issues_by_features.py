"""Doubtful labels and outliers may be found by the features of images, without a model."""

import django.db.models.deletion
from django.db import migrations, models


def delete_those_without_model(apps, schema_editor):
    """On the way back: the search finds them again."""
    apps.get_model('inference', 'LabelIssue').objects.filter(model=None).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0011_label_issues'),
    ]

    operations = [
        migrations.AlterField(
            model_name='labelissue',
            name='kind',
            field=models.CharField(
                choices=[
                    ('label', 'another label fits better'),
                    ('not_drawn', 'the model is sure of a box that nobody drew'),
                    ('not_seen', 'the model sees nothing in the box'),
                    ('outlier', 'the image is unlike all others of its label'),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name='labelissue',
            name='model',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='label_issues', to='inference.model'),
        ),
        migrations.RunPython(migrations.RunPython.noop, delete_those_without_model),
    ]
