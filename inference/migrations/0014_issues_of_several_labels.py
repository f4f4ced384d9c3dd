"""Of several labels of an image one may be wrong, or missing."""

from django.db import migrations, models


def delete_those_of_several(apps, schema_editor):
    """On the way back: there is no kind for them."""
    apps.get_model('inference', 'LabelIssue').objects.filter(kind__in=('wrong', 'missing')).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0013_multilabel_models'),
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
                    ('wrong', 'one of several labels of the image is wrong'),
                    ('missing', 'the image lacks one of several labels'),
                    ('outlier', 'the image is unlike all others of its label'),
                ],
                max_length=10,
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, delete_those_of_several),
    ]
