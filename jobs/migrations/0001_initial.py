"""The tables are there: `projects` made them, and they kept their names."""

import django.db.models.deletion
import jobs.job_video
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('projects', '0014_jobs_and_webhooks_leave'),
        ('storage', '0005_unused_since'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[
            migrations.CreateModel(
                name='Job',
                fields=[
                    ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                    ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=10)),
                    ('progress', models.JSONField(blank=True, default=dict)),
                    ('lease', models.UUIDField(blank=True, editable=False, null=True)),
                    ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                    ('cancel_requested', models.BooleanField(default=False, editable=False)),
                    ('retry_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('error_code', models.CharField(blank=True, max_length=50)),
                    ('error_detail', models.TextField(blank=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('enqueued_at', models.DateTimeField(auto_now_add=True)),
                    ('claimed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('queue', models.CharField(choices=[('quick', 'work that somebody waits for'), ('heavy', 'work of many minutes: models, videos, large imports'), ('preflight', 'estimates before a training'), ('training', 'trainings')], default='quick', editable=False, max_length=12)),
                    ('started_at', models.DateTimeField(blank=True, null=True)),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('kind', models.CharField(max_length=30)),
                    ('parameters', models.JSONField(blank=True, default=dict)),
                    ('position', models.JSONField(blank=True, default=dict, editable=False)),
                    ('result', models.JSONField(blank=True, null=True)),
                    ('output_name', models.CharField(blank=True, max_length=255)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('input_blob', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storage.blob')),
                    ('output_blob', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storage.blob')),
                    ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='projects.project')),
                    ('report_blob', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storage.blob')),
                    ('retry_of', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.job')),
                ],
                options={
                    'db_table': 'projects_job',
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='JobFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=100)),
                    ('blob', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storage.blob')),
                    ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='jobs.job')),
                ],
                options={
                    'db_table': 'projects_jobfile',
                },
            ),
            migrations.CreateModel(
                name='WorkEvent',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('work', models.UUIDField()),
                    ('kind', models.CharField(max_length=20)),
                    ('content', models.JSONField(default=dict)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                ],
                options={
                    'db_table': 'projects_workevent',
                    'indexes': [models.Index(fields=['work', 'id'], name='projects_wo_work_a6c68a_idx'), models.Index(fields=['work', 'kind', 'id'], name='projects_wo_work_fdf7f9_idx')],
                },
            ),
            migrations.AddIndex(
                model_name='job',
                index=models.Index(fields=['state', 'lease_expires_at'], name='job_state_lease'),
            ),
            migrations.AddIndex(
                model_name='job',
                index=models.Index(fields=['queue', 'state'], name='job_queue_state'),
            ),
            migrations.AddIndex(
                model_name='job',
                index=models.Index(fields=['created_by', 'state'], name='job_owner_state'),
            ),
            migrations.AddIndex(
                model_name='job',
                index=models.Index(fields=['project', 'id'], name='projects_jo_project_4447d3_idx'),
            ),
            migrations.AddIndex(
                model_name='job',
                index=models.Index(jobs.job_video.JobVideo(), models.F('id'), name='job_video'),
            ),
            migrations.AddConstraint(
                model_name='jobfile',
                constraint=models.UniqueConstraint(fields=('job', 'name'), name='one_job_file_a_name'),
            ),
        ]),
    ]
