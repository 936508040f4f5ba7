"""Settings of eCaRE, read from the environment and safe by default.

`ECARE_EMBEDDED=true` is the only switch that opens the demo conveniences (local mailbox, generated keys,
SQLite, in-process broker); everything else must be given, or the start stops with one sentence.
`docs/settings.md` lists every variable.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from ecare import logs
from ecare.embedded_keys import generated_key
from ecare.schedule import SCHEDULE
from ecare.storage_address import folder, storage_of

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

EMBEDDED = env.bool("ECARE_EMBEDDED", default=False)
DATA_DIR = Path(env.str("ECARE_DATA", default=str(BASE_DIR / "var"))).resolve()


def _required(name: str, *, embedded: str) -> str:
    """The variable, or in embedded mode a value that needs no set-up; without either the start stops."""
    value = env.str(name, default="")
    if value:
        return value
    if EMBEDDED:
        return embedded
    raise ImproperlyConfigured(f"Set {name}: eCaRE does not start without it (ECARE_EMBEDDED=true for a demo).")


def _insist(is_good: bool, sentence: str) -> None:
    """What production needs of a variable; the start stops with the sentence otherwise."""
    if not (is_good or EMBEDDED):
        raise ImproperlyConfigured(sentence)


# --- keys -------------------------------------------------------------------------------------------------
SECRET_KEY = _required("SECRET_KEY", embedded=generated_key(DATA_DIR, "secret_key") if EMBEDDED else "")
_insist(len(SECRET_KEY) >= 50 and len(set(SECRET_KEY)) >= 5, "SECRET_KEY takes at least 50 random characters.")
# "name:base64 of 32 bytes", comma separated; the first one seals, the others still open what they sealed.
VAULT_KEYS = _required(
    "ECARE_VAULT_KEYS", embedded=f"embedded:{generated_key(DATA_DIR, 'vault_key')}" if EMBEDDED else ""
).split(",")

# --- web --------------------------------------------------------------------------------------------------
DEBUG = False
ALLOWED_HOSTS = _required("ALLOWED_HOSTS", embedded="127.0.0.1,localhost,[::1],testserver").split(",")
_insist("*" not in ALLOWED_HOSTS, "ALLOWED_HOSTS names the hosts of the portal: « * » would let anybody choose one.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "ecare.urls"
WSGI_APPLICATION = "ecare.wsgi.application"
SITE_ADDRESS = _required("ECARE_ADDRESS", embedded=f"http://127.0.0.1:{env.int('PORT', default=8000)}").rstrip("/")
_insist(SITE_ADDRESS.startswith("https://"), "ECARE_ADDRESS starts with https://: letters carry links.")
SUPPORT_ADDRESS = env.str("ECARE_SUPPORT", default="ans-support-convergence@esante.gouv.fr")
# Where digital health companies sign in; empty: the home page says where to go, without a link.
VENDOR_SIGN_IN_URL = env.str("ECARE_VENDOR_SIGN_IN_URL", default="")
VENDOR_REGISTRATION_URL = env.str("ECARE_VENDOR_REGISTRATION_URL", default="")
# Where ZED Limited Edition, which opens encrypted containers, is downloaded.
ZED_URL = env.str("ECARE_ZED_URL", default="https://www.zedencrypt.com/")
# The ANS is warned when a pool of containers holds no more than this.
CONTAINER_POOL_THRESHOLD = env.int("ECARE_CONTAINER_THRESHOLD", default=10)
# Name and address of the host, which the legal notice must give.
HOSTING = env.str("ECARE_HOSTING", default="")
PUBLISHER = env.str("ECARE_PUBLISHER", default="")
PUBLISHER_PHONE = env.str("ECARE_PUBLISHER_PHONE", default="")

INSTALLED_APPS = [
    "ecare.apps.EcareAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "captcha",
    "django.forms",
    "dsfr",
    "widget_tweaks",
    "phonenumber_field",
    "rules.apps.AutodiscoverRulesConfig",
    "django_tables2",
    "django_filters",
    "django_fsm",
    "csp",
    "ecare.letters",
    "ecare.journal",
    "establishments",
    "accounts",
    "applications",
    "evidence",
    "funding",
    "conventions",
    "reviews",
    "steering",
    "exports",
    "systems",
    "webhooks",
    "backups",
    "privacy",
    *(["demo"] if EMBEDDED else []),
]

MIDDLEWARE = [
    "ecare.access.AccessMiddleware",
    "ecare.middleware.ArrivalMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "systems.middleware.NoCookieMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "evidence.middleware.StoreDownMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.PrivatePageMiddleware",
    "accounts.middleware.TermsMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "ecare.middleware.NotAllowedMiddleware",
    "applications.middleware.NotNowMiddleware",
    "ecare.middleware.ReceptionMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ecare.context.site",
            ],
            "builtins": ["ecare.french"],
        },
    },
]
FORM_RENDERER = "ecare.form_renderer.DsfrRenderer"

# --- database, cache, sessions: everything that matters lives in the database, so that Redis may die ----------
if "DATABASE_URL" in env or not EMBEDDED:
    _required("DATABASE_URL", embedded="-")
    DATABASES = {"default": env.db("DATABASE_URL")}
    DATABASES["default"].setdefault("OPTIONS", {})
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    if not env.bool("ECARE_TESTING", default=False):
        DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 2, "max_size": env.int("ECARE_DB_POOL", default=10)}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "ecare.sqlite3",
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                "PRAGMA secure_delete=ON;",  # what is erased is written over
            },
            "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
        }
    }
CACHES = {
    "default": {
        "BACKEND": "ecare.cache.CountingCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}
SESSION_ENGINE = "accounts.sessions"  # Django's own, and whose each session is
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- people and how they enter ------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.AdministratorBackend",
    "rules.permissions.ObjectPermissionBackend",
    "accounts.backends.ActivatedBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "first_name", "last_name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.passwords.CommonWordsValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/tableau-de-bord/"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_USERNAME_MIN_LENGTH = 3
ACCOUNT_LOGIN_TIMEOUT = 30 * 60  # between the password and the code
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "reset_password": "accounts.forms.RequestPasswordForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
    "change_password": "accounts.forms.ChangePasswordForm",
}
ACCOUNT_RATE_LIMITS = {  # per key, then per address: what a key refuses does not use up its neighbours' share
    "login": "300/m/ip",
    "login_failed": "5/5m/key,100/5m/ip",
    "sign_in_code": "10/15m/key",
    "reset_password": "5/5m/key,30/5m/ip",
    "reset_password_from_key": "30/m/ip",
    "change_password": "10/m/user",
    "email_change": "10/h/user",
    "second_factor": "20/h/user",
    "invitation": "60/10m/ip",
    "challenge": "60/5m/ip",
    "password_strength": "300/5m/ip",
    "registration": "60/10m/ip",
    "register": "20/h/ip",
    "resend_activation": "10/10m/ip",
    "confirm_email": None,
    "api_token": "60/5m/ip",  # tokens that open nothing
}
# Behind a reverse proxy the person's address stands in X-Forwarded-For; 0 trusts the connection alone.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("ECARE_PROXIES", default=0)
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
SIGN_IN_CODE_DIGITS = 8
SIGN_IN_CODE_LIFETIME = timedelta(minutes=10)
SIGN_IN_CODE_TRIES = 5
SIGN_IN_CODE_COOLDOWN = timedelta(seconds=30)
OTP_TOTP_ISSUER = "eCaRE"  # what an authenticator application shows beside the user name
OTP_TOTP_SYNC = False  # one step of 30 s before and after ours, never more
# Roles that reach nothing before they have an authenticator application.
SECOND_FACTOR_REQUIRED_FOR = frozenset(
    env.list("ECARE_TOTP_REQUIRED_FOR", default=[] if EMBEDDED else ["ans", "administrator"])
)
if SECOND_FACTOR_REQUIRED_FOR - {"ars", "ans", "administrator"}:
    raise ImproperlyConfigured("ECARE_TOTP_REQUIRED_FOR takes the roles ars, ans, administrator, comma separated.")
# An agent reads « En retard » of a dossier that has waited on their desk for more days than this.
LATE_AFTER_DAYS = env.int("ECARE_LATE_AFTER_DAYS", default=15)
# Readings of the API that one token may make in a minute.
API_READINGS_PER_MINUTE = env.int("ECARE_API_PER_MINUTE", default=120)
SESSION_IDLE_LIMIT = timedelta(hours=2)
SESSION_AGE_LIMIT = timedelta(hours=8)
SESSION_COOKIE_AGE = 24 * 60 * 60  # its row outlives it: what is typed the morning after still has somebody to wait for
PHONENUMBER_DEFAULT_REGION = "FR"
PHONENUMBER_DB_FORMAT = "E164"

CAPTCHA_LENGTH = 4
CAPTCHA_CHALLENGE_FUNCT = "accounts.captcha.challenge"
CAPTCHA_NOISE_FUNCTIONS = ("captcha.helpers.noise_arcs", "captcha.helpers.noise_dots")
CAPTCHA_FONT_SIZE = 46
CAPTCHA_IMAGE_SIZE = (220, 80)
CAPTCHA_TIMEOUT = 15

CSRF_FAILURE_VIEW = "ecare.views.csrf_failure"

# --- headers --------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
if not EMBEDDED:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_REDIRECT_EXEMPT = [r"^sante/$", r"^sante/vivant/$", r"^metriques/$"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"

# --- language and time ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "fr"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["ecare.formats"]
TIME_ZONE = "Europe/Paris"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- files ----------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = None if EMBEDDED else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static", ("guides", BASE_DIR / "docs" / "guides" / "images")]
WHITENOISE_USE_FINDERS = EMBEDDED
WHITENOISE_AUTOREFRESH = EMBEDDED  # an update under a running portal is served whole, not at its former length
STORAGE = _required("ECARE_STORAGE", embedded="vault")
STORAGES = {
    "default": folder(DATA_DIR / "vault", creates_folder=True)
    if EMBEDDED and STORAGE == "vault"
    else storage_of(
        STORAGE,
        access_key=env.str("ECARE_STORAGE_ACCESS_KEY", default=""),
        secret_key=env.str("ECARE_STORAGE_SECRET_KEY", default=""),
        authorities=env.str("ECARE_STORAGE_CA", default=""),
    ),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# The antivirus: clamd://host:3310 or clamd:///its/socket. Embedded without one: files are read without being scanned.
SCANNER = _required("ECARE_SCANNER", embedded="")


def _is_scanner(address: str) -> bool:
    """A host and its port, or a socket; nothing else."""
    try:
        found = urlsplit(address)
        is_placed = bool(found.hostname and found.port and not found.path) or (not found.netloc and len(found.path) > 1)
    except ValueError:
        return False
    return found.scheme == "clamd" and is_placed and not (found.query or found.fragment)


if SCANNER and not _is_scanner(SCANNER):
    raise ImproperlyConfigured("ECARE_SCANNER takes clamd://host:3310 or clamd:///run/clamav/clamd.ctl.")
SCANNER_PATIENCE = timedelta(minutes=4)  # for one file, from its first byte to the verdict; MaxScanTime is shorter
SCANNER_SILENCE = timedelta(seconds=10)  # it takes nothing and says nothing, though it is asked whether it is there
# How many files are scanned at once: that many threads of the workers.
SCAN_LANES = env.int("ECARE_SCAN_LANES", default=2)
FILE_UPLOAD_HANDLERS = ["evidence.uploads.SealedUploadHandler"]  # no plain copy on a disk, whatever the page
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 100  # a whole step in one post, without JavaScript
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000  # the largest private entity has 528 sites, two fields each in its checklist

# The signed heads of the journal, one file a day: a folder that the portal adds to, copied where it cannot write.
ANCHORS_DIR = Path(env.str("ECARE_ANCHORS", default=str(DATA_DIR / "anchors"))).resolve()
# Who gets the digest of each day by mail, outside the portal; empty: nobody.
AUDITOR_ADDRESS = env.str("ECARE_AUDITOR", default="")
_insist("@" in AUDITOR_ADDRESS or not AUDITOR_ADDRESS, "ECARE_AUDITOR takes one e-mail address.")

# --- letters and background work ------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.str("ECARE_FROM", default="eCaRE <ne-pas-repondre@convergence.esante.gouv.fr>")
MAILBOX_DIR = DATA_DIR / "mail"  # of embedded mode
if "EMAIL_URL" in env or not EMBEDDED:
    _required("EMAIL_URL", embedded="-")
    vars().update(env.email("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
EMAIL_TIMEOUT = 15
CELERY_BROKER_URL = _required("REDIS_URL", embedded="memory://localhost")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker as long as it takes
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.05} if CELERY_BROKER_URL.startswith("memory") else {}
CELERY_IMPORTS = ["ecare.tasks"]
CELERY_BEAT_SCHEDULE = SCHEDULE

# --- what systems are told (webhooks) --------------------------------------------------------------------------
# How many addresses are written to at once: that many threads of the workers may wait for somebody slow.
WEBHOOK_LANES = env.int("ECARE_WEBHOOK_LANES", default=2)
WEBHOOK_SUSPEND_AFTER_DAYS = env.int("ECARE_WEBHOOK_SUSPEND_AFTER_DAYS", default=3)
WEBHOOK_KEPT_DAYS = env.int("ECARE_WEBHOOK_KEPT_DAYS", default=90)
# A file of certificate authorities (PEM) to trust in the place of the public ones.
WEBHOOK_CA = env.str("ECARE_WEBHOOK_CA", default="")

# --- how long personal data are kept (docs/privacy.md), in days -------------------------------------------------
DRAFTS_KEPT_DAYS = env.int("ECARE_DRAFTS_KEPT_DAYS", default=365)
NEVER_ACTIVATED_KEPT_DAYS = env.int("ECARE_NEVER_ACTIVATED_KEPT_DAYS", default=30)
UNUSED_ACCOUNTS_KEPT_DAYS = env.int("ECARE_UNUSED_ACCOUNTS_KEPT_DAYS", default=3 * 365)
CLOSED_ACCOUNTS_KEPT_DAYS = env.int("ECARE_CLOSED_ACCOUNTS_KEPT_DAYS", default=5 * 365)
INVITATIONS_KEPT_DAYS = env.int("ECARE_INVITATIONS_KEPT_DAYS", default=365)
LETTER_WORDS_KEPT_DAYS = env.int("ECARE_LETTER_WORDS_KEPT_DAYS", default=2 * 365)
WARNED_DAYS = env.int("ECARE_WARNED_DAYS", default=30)
if not 0 < WARNED_DAYS < min(DRAFTS_KEPT_DAYS, UNUSED_ACCOUNTS_KEPT_DAYS):
    raise ImproperlyConfigured("ECARE_WARNED_DAYS is less than the days for which drafts and accounts are kept.")
if NEVER_ACTIVATED_KEPT_DAYS < 3 or not UNUSED_ACCOUNTS_KEPT_DAYS < CLOSED_ACCOUNTS_KEPT_DAYS:
    raise ImproperlyConfigured(
        "ECARE_NEVER_ACTIVATED_KEPT_DAYS is 3 at least, ECARE_CLOSED_ACCOUNTS_KEPT_DAYS more than those of unused ones."
    )

# --- what watches over the portal ------------------------------------------------------------------------------
# What Prometheus shows to read `/metriques/`; without one the address is not there.
METRICS_TOKEN = env.str("ECARE_METRICS_TOKEN", default="")
_insist(not METRICS_TOKEN or len(METRICS_TOKEN) >= 32, "ECARE_METRICS_TOKEN takes at least 32 random characters.")

# --- logs: lines on standard error, no secret, no personal data ----------------------------------------------
LOGGING = logs.configuration(is_readable=EMBEDDED, level=env.str("ECARE_LOG_LEVEL", default="WARNING"))

# --- look -----------------------------------------------------------------------------------------------------
DSFR_CONTENT_IS_SAFE = False
DSFR_MARK_OPTIONAL_FIELDS = False
DJANGO_TABLES2_TEMPLATE = "components/table.html"
