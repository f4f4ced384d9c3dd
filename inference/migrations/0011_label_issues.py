"""`Suspect` is `LabelIssue` and `Suggestion` is `LabelingCandidate`, as the field calls them. Rows stay."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0016_trashed_snapshots'),
        ('inference', '0010_classifier_threshold'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='suggestion', name='one_suggestion_an_image'),
        migrations.RenameModel('Suspect', 'LabelIssue'),
        migrations.RenameModel('Suggestion', 'LabelingCandidate'),
        migrations.RenameIndex('labelissue', 'inference_l_model_i_bbd175_idx', old_name='inference_s_model_i_4764fd_idx'),
        migrations.RenameIndex(
            'labelingcandidate', 'inference_l_model_i_7fd59c_idx', old_name='inference_s_model_i_65fda3_idx'
        ),
        migrations.AlterField(
            model_name='labelissue',
            name='model',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='label_issues', to='inference.model'),
        ),
        migrations.AlterField(
            model_name='labelingcandidate',
            name='model',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='labeling_candidates', to='inference.model'),
        ),
        migrations.AddConstraint(
            model_name='labelingcandidate',
            constraint=models.UniqueConstraint(fields=('model', 'image'), name='unique_candidate_per_model_and_image'),
        ),
    ]
