"""The tables are there: `projects` made them, and they kept their names."""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('projects', '0014_jobs_and_webhooks_leave'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[
            migrations.CreateModel(
                name='Webhook',
                fields=[
                    ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                    ('url', models.URLField(max_length=500)),
                    ('events', models.JSONField(default=list)),
                    ('secret', models.CharField(max_length=100)),
                    ('is_active', models.BooleanField(default=True)),
                    ('note', models.CharField(blank=True, editable=False, max_length=300)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to='projects.project')),
                ],
                options={
                    'db_table': 'projects_webhook',
                },
            ),
            migrations.CreateModel(
                name='WebhookDelivery',
                fields=[
                    ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                    ('event', models.CharField(max_length=30)),
                    ('payload', models.JSONField()),
                    ('state', models.CharField(choices=[('pending', 'Pending'), ('delivered', 'Delivered'), ('failed', 'Failed')], default='pending', max_length=10)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('next_attempt_at', models.DateTimeField(blank=True, null=True)),
                    ('status_code', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('delivered_at', models.DateTimeField(blank=True, null=True)),
                    ('webhook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='webhooks.webhook')),
                ],
                options={
                    'db_table': 'projects_webhookdelivery',
                    'indexes': [models.Index(fields=['webhook', 'id'], name='projects_we_webhook_2361aa_idx'), models.Index(condition=models.Q(('state', 'pending')), fields=['next_attempt_at'], name='pending_delivery')],
                },
            ),
        ]),
    ]
