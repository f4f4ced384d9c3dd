from django.contrib import admin

admin.site.site_header = "ML Studio"
admin.site.site_title = "ML Studio"
