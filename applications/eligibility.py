"""Who may apply to a domain, and why not: for the pages that say it before anybody applies."""

from dataclasses import dataclass
from enum import StrEnum

from applications.models import Domain
from establishments.models import Establishment, Ght, LegalEntity


class Reason(StrEnum):
    """Why an entity or an establishment may not apply."""

    CLOSED = "closed"
    MEMBER = "member"
    UNKNOWN_STATUS = "unknown_status"
    NOT_HOSPITAL = "not_hospital"
    UNKNOWN_REGION = "unknown_region"
    KIND = "kind"


@dataclass(frozen=True)
class Eligibility:
    """Whether an establishment may apply to a domain, dates apart; `reason` is None when it may."""

    domain: Domain
    reason: Reason | None = None

    def __bool__(self) -> bool:
        return self.reason is None


def is_eligible(domain: Domain, establishment: Establishment) -> Eligibility:
    """The domain says which kinds; that the establishment is a hospital, and for a group stands behind its support
    establishment, is what the directory made it of."""
    if establishment.closed_on is not None:
        return Eligibility(domain, Reason.CLOSED)
    if establishment.kind not in domain.kinds:
        return Eligibility(domain, Reason.KIND)
    return Eligibility(domain)


def group_of(entity: LegalEntity) -> Ght | None:
    """The open group through which a public entity applies: never alone, be it the support establishment."""
    if not entity.is_public:
        return None
    return entity.ghts.filter(closed_on=None).select_related("support").order_by("code").first()


def why_not_alone(entity: LegalEntity, group: Ght | None) -> Reason:
    """Why an entity that the directory made no establishment of may not apply alone (see `may_apply` there)."""
    if entity.closed_on is not None:
        return Reason.CLOSED
    if group is not None:
        return Reason.MEMBER
    if not entity.legal_status:
        return Reason.UNKNOWN_STATUS
    if not any(site.is_hospital for site in entity.sites.filter(closed_on=None)):
        return Reason.NOT_HOSPITAL
    return Reason.UNKNOWN_REGION
