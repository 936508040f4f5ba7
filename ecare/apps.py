from django.contrib.admin.apps import AdminConfig


class EcareAdminConfig(AdminConfig):
    default_site = "ecare.admin_site.EcareAdminSite"
