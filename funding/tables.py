"""The list of the accountant."""

import django_tables2 as tables
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from applications.fields import spoken_iban
from ecare.french import euros, paris_date
from funding.readers import Account, accounts

CHANGING = {"kind": "warning", "text": "Changement demandé"}


def _column(label: str, order_by=None, **options) -> tables.Column:
    return tables.Column(label, order_by=order_by, attrs={"td": {"class": "fr-cell--multiline"}}, **options)


class PaymentTable(tables.Table):
    """Rows: dossiers to pay or paid (`readers.to_pay`); the accounts of those of the page are read at once."""

    reference = _column("Référence", ("reference",), linkify=("reviews:dossier", [tables.A("reference")]))
    establishment = _column("Établissement", ("establishment__name", "pk"))
    account = _column("Compte", orderable=False, empty_values=())
    amount = _column("Montant", ("decision__amount", "pk"), accessor="decision__amount")
    decided = _column("Décision", ("decision__validated_at", "pk"), accessor="decision__validated_at")
    paid = _column("Versement", ("payment__paid_on", "decision__validated_at", "pk"), empty_values=())

    caption = "Versements"

    class Meta:
        order_by = "decided"
        attrs = {"class": "ecare-cards"}
        empty_text = "Aucun dossier."

    def before_render(self, request):
        self.accounts = accounts(row.record for row in self.paginated_rows)

    def render_establishment(self, value):
        entity = value.legal_entity
        siren = format_html("<br>SIREN {}", entity.siren) if entity.siren else ""
        payee = format_html("<br>{}", entity.name) if entity.name != str(value) else ""
        return format_html(
            '<strong>{}</strong>{}<br><span class="fr-text--xs">{}<br>FINESS {}{}</span>',
            value,
            payee,
            value.get_kind_display(),
            value.finess,
            siren,
        )

    def render_account(self, record):
        account = self.accounts.get(record.pk, Account())
        if not account.iban:
            return "Coordonnées bancaires inconnues"
        return format_html(
            '{}<br>{}<br><span class="fr-text--xs">BIC {}</span>{}',
            account.holder,
            spoken_iban(account.iban),
            account.bic,
            render_to_string("components/badge.html", CHANGING) if account.is_changing else "",
        )

    def render_amount(self, value, record):
        return format_html(
            '<strong>{}</strong><br><span class="fr-text--xs">{}</span>',
            euros(value),
            record.decision.get_rule_display(),
        )

    def render_decided(self, value):
        return paris_date(value)

    def render_paid(self, record):
        payment = getattr(record, "payment", None)
        if payment is None:
            return format_html(
                '{}<br><a class="fr-link fr-link--sm" href="{}">Enregistrer le versement'
                '<span class="fr-sr-only"> du dossier {}</span></a>',
                render_to_string("components/badge.html", {"kind": "info", "text": "À verser"}),
                reverse("reviews:record_payment", args=[record.reference]),
                record.reference,
            )
        return format_html(
            '{}<br><span class="fr-text--xs">Virement {}</span>', paris_date(payment.paid_on), payment.reference
        )
