"""Lists of the registration."""

import django_tables2 as tables

from establishments.models import Establishment, LegalEntity, Site

CHOOSE = """
{% if record.pk == table.chosen %}<p class="fr-badge fr-badge--info fr-badge--sm">Votre choix</p>{% endif %}
<button type="submit" form="choose" name="establishment" value="{{ record.pk }}"
        class="fr-btn fr-btn--sm fr-btn--secondary" aria-label="Sélectionner {{ record }}">Sélectionner</button>
"""


class _ChoiceTable(tables.Table):
    """`chosen`: primary key of the row that was selected before, which says so."""

    def __init__(self, *args, chosen: int | None = None, **options):
        super().__init__(*args, **options)
        self.chosen = chosen


class EntityChoiceTable(_ChoiceTable):
    """Entities outside GHT, public or private."""

    finess = tables.Column("FINESS EJ", accessor="legal_entity__finess")
    name = tables.Column("Raison sociale")
    town = tables.Column("Commune", accessor="legal_entity__town", default="")
    choose = tables.TemplateColumn(CHOOSE, verbose_name="Action", orderable=False)
    caption = "Établissements correspondant à votre choix"

    class Meta:
        model = Establishment
        fields = ("finess", "name", "town", "choose")
        empty_text = "Aucun établissement ne correspond à votre recherche."


class GhtChoiceTable(_ChoiceTable):
    code = tables.Column("Code GHT", accessor="ght__code")
    finess = tables.Column("FINESS EJ de l’établissement support", accessor="legal_entity__finess")
    name = tables.Column("Raison sociale de l’établissement support", accessor="legal_entity__name")
    choose = tables.TemplateColumn(CHOOSE, verbose_name="Action", orderable=False)
    caption = "Groupements correspondant à votre choix"

    class Meta:
        model = Establishment
        fields = ("code", "finess", "name", "choose")
        empty_text = "Aucun groupement ne correspond à votre recherche."


class LegalEntityTable(tables.Table):
    name = tables.Column("Raison sociale")
    finess = tables.Column("FINESS EJ")
    town = tables.Column("Commune", default="")
    caption = "Entités juridiques rattachées au groupement"
    offers_length = True

    class Meta:
        model = LegalEntity
        fields = ("name", "finess", "town")
        empty_text = "Aucune entité ne correspond à votre recherche."


class SiteTable(tables.Table):
    name = tables.Column("Raison sociale")
    finess = tables.Column("FINESS EG")
    town = tables.Column("Commune", default="")
    caption = "Entités géographiques rattachées à l’entité juridique"
    offers_length = True

    class Meta:
        model = Site
        fields = ("name", "finess", "town")
        empty_text = "Aucune entité ne correspond à votre recherche."
