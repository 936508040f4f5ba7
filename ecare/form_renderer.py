from django.forms.renderers import TemplatesSetting


class DsfrRenderer(TemplatesSetting):
    pass
