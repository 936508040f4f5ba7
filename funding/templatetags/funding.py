"""What the pages of other rooms say of money."""

from django import template

from funding import readers, rules
from funding.models import Decision, ExpenseVerdict

register = template.Library()


@register.simple_tag(takes_context=True)
def money_of(context, application):
    """The sums of a dossier, as this agent may read them."""
    return readers.money_of(application, context["user"])


@register.simple_tag(takes_context=True)
def decided_of(context, application):
    """For the référent: the decision once it is validated, else nothing."""
    visible = Decision.objects.visible_to(context["user"]).filter(application=application)
    return visible.exclude(validated_at=None).prefetch_related("objectives", "expenses").first()


@register.filter
def rule(decision) -> str:
    """By which rule the amount results."""
    return rules.rule_of(decision)


@register.filter
def not_whole(decision) -> list[ExpenseVerdict]:
    """The expenses that are reduced or refused."""
    return [verdict for verdict in decision.expenses.all() if verdict.outcome != ExpenseVerdict.Outcome.ACCEPTED]


@register.filter
def said(verdict):
    """The expense that a verdict is about, as it is read."""
    return readers.said(verdict)
