"""Which addresses may be written to: over TLS, and public ones only, so that nobody makes the portal knock at the doors
of the network it stands in."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings

_IPV4_REFUSED = [ipaddress.ip_network(one) for one in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")]
"""Assigned to protocols; relays of 6to4; what a large host answers its own machines at, with their secrets."""
_IPV6_GLOBAL = ipaddress.ip_network("2000::/3")
_IPV6_REFUSED = [ipaddress.ip_network(one) for one in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
"""Tunnels that lead to an IPv4 address of the sender's choice, and examples; 64:ff9b::/96 is outside 2000::/3."""

INCOMPLETE = "Cette adresse n’est pas complète. Écrivez-la sous la forme https://systeme.exemple.fr/ecare."


def may_be_reached(text: str) -> bool:
    """Whether this very IP address may be connected to."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if settings.EMBEDDED and address.is_loopback:
        return True
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return False
        return address in _IPV6_GLOBAL and address.is_global and not any(address in one for one in _IPV6_REFUSED)
    is_special = address.is_multicast or address.is_reserved or any(address in one for one in _IPV4_REFUSED)
    return address.is_global and not is_special


def fault_of(address: str) -> str:
    """What is wrong with the address of a subscription, and how to put it right; empty when it may be tried. Where its
    name leads is asked each time something is sent."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return INCOMPLETE
    if not host or any(sign.isspace() or not sign.isprintable() for sign in address) or "\\" in address:
        return INCOMPLETE
    is_local = settings.EMBEDDED and host in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        return "Cette adresse doit commencer par https:// : rien ne part sans chiffrement."
    if parts.username is not None or parts.password is not None:
        return "Retirez le nom et le mot de passe de l’adresse : la signature dit qui envoie."
    if parts.query or parts.fragment:
        return "Retirez ce qui suit « ? » ou « # » : l’adresse est lue par tous les administrateurs."
    try:
        is_refused = not may_be_reached(host)
    except ValueError:
        return ""  # a name
    return "Cette adresse mène à un réseau privé : indiquez une adresse publique." if is_refused else ""
