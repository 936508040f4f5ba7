"""The check that a person is there: four characters in an image, or a small written question that needs no sight."""

import secrets

from captcha.models import CaptchaStore
from django.conf import settings
from django.utils import timezone

# No look-alikes, even turned: neither 0, O and Q, 1, I, J and L, 2 and Z, 5 and S, 6, G and 9, 8 and B, U and V.
CHARACTERS = "ACDEFHKMNPRTWXY347"
NUMBERS = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize".split()
WORDS = ("clinique", "urgence", "infirmier", "pharmacie", "chirurgie", "malade", "soins", "ambulance", "patient")
LETTER_OF = " lettre de "
RANKS = ("première", "deuxième", "troisième", "quatrième")


def challenge() -> tuple[str, str]:
    """What the image shows, and the expected answer (the store compares in lower case)."""
    shown = "".join(secrets.choice(CHARACTERS) for _ in range(settings.CAPTCHA_LENGTH))
    return shown, shown.lower()


def question() -> tuple[str, str]:
    """A question in words and its answer in digits or letters: at most 32 characters, as the store keeps it."""
    kind = secrets.choice(("plus", "moins", "lettre"))
    if kind == "lettre":
        word = secrets.choice(WORDS)
        rank = secrets.randbelow(len(RANKS))
        return f"{RANKS[rank]}{LETTER_OF}{word}", word[rank]
    first, second = 3 + secrets.randbelow(12), 1 + secrets.randbelow(9)
    if kind == "moins":
        first, second = max(first, second), min(first, second)
        return f"{NUMBERS[first]} moins {NUMBERS[second]}", str(first - second)
    return f"{NUMBERS[first]} plus {NUMBERS[second]}", str(first + second)


def new_key(*, written: bool) -> str:
    """The key of a fresh challenge."""
    CaptchaStore.remove_expired()
    return CaptchaStore.generate_key(question if written else challenge)


def asked(key: str) -> str:
    """The words of a written question."""
    words = CaptchaStore.objects.get(hashkey=key).challenge
    rank, is_letter, word = words.partition(LETTER_OF)
    return f"Écrivez la {rank} lettre du mot « {word} »." if is_letter else f"Écrivez en chiffres : {words}."


def is_answer(key: str, answer: str) -> bool:
    """Whether `answer` is right. One answer per challenge: of two at once, only the one that removes it counts."""
    store = CaptchaStore.objects.filter(hashkey=key, expiration__gt=timezone.now()).first()
    if store is None:
        return False
    removed, _ = CaptchaStore.objects.filter(pk=store.pk).delete()
    return bool(removed) and secrets.compare_digest(store.response.encode(), "".join(answer.split()).lower().encode())
