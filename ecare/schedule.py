"""What beat wakes the workers for, and how often; a tick that no worker took in time expires, so that none pile up."""

from celery.schedules import crontab

SCHEDULE = {
    "pulse": {"task": "ecare.tasks.pulse", "schedule": 1.0, "options": {"expires": 5}},
    "sessions": {"task": "ecare.tasks.forget_sessions", "schedule": 3600.0, "options": {"expires": 3600}},
    "uploads": {"task": "evidence.tasks.forget_uploads", "schedule": 3600.0, "options": {"expires": 3600}},
    "vault": {
        "task": "evidence.tasks.sweep_vault",
        "schedule": crontab(hour=3, minute=30),
        "options": {"expires": 3600},
    },
    "letters": {"task": "ecare.letters.tasks.deliver", "schedule": 1.0, "options": {"expires": 5}},
    "imports": {"task": "establishments.tasks.run_imports", "schedule": 2.0, "options": {"expires": 5}},
    "imports left": {"task": "establishments.tasks.forget_imports", "schedule": 3600.0, "options": {"expires": 3600}},
    "scans": {"task": "evidence.tasks.scan", "schedule": 1.0, "options": {"expires": 5}},
    "containers": {
        "task": "evidence.tasks.warn_of_low_pools",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "envelopes": {"task": "funding.tasks.warn_of_envelopes", "schedule": 3600.0, "options": {"expires": 3600}},
    "declarations": {
        "task": "applications.tasks.open_declarations",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "reminders": {"task": "applications.tasks.remind", "schedule": 600.0, "options": {"expires": 600}},
    "signatures": {"task": "conventions.tasks.remind", "schedule": 600.0, "options": {"expires": 600}},
    "closures": {"task": "applications.tasks.alert_of_closures", "schedule": 600.0, "options": {"expires": 600}},
    "weekly letters": {"task": "applications.tasks.write_digests", "schedule": 300.0, "options": {"expires": 300}},
    "exports": {"task": "exports.tasks.build", "schedule": 1.0, "options": {"expires": 5}},
    "expired exports": {"task": "exports.tasks.forget", "schedule": 3600.0, "options": {"expires": 3600}},
    "tokens": {"task": "systems.tasks.remind", "schedule": 600.0, "options": {"expires": 600}},
    "webhooks": {"task": "webhooks.tasks.deliver", "schedule": 1.0, "options": {"expires": 5}},
    "webhooks that fail": {"task": "webhooks.tasks.suspend", "schedule": 600.0, "options": {"expires": 600}},
    "old webhooks": {"task": "webhooks.tasks.forget", "schedule": 3600.0, "options": {"expires": 3600}},
    "old people": {"task": "accounts.tasks.forget", "schedule": 3600.0, "options": {"expires": 3600}},
    "old drafts": {"task": "evidence.tasks.forget_drafts", "schedule": 3600.0, "options": {"expires": 3600}},
    "old letters": {"task": "ecare.letters.tasks.forget", "schedule": 3600.0, "options": {"expires": 3600}},
    "old cache": {"task": "ecare.tasks.forget_cache", "schedule": 3600.0, "options": {"expires": 3600}},
    "old accounts": {"task": "privacy.tasks.forget", "schedule": 3600.0, "options": {"expires": 3600}},
    "anchors": {"task": "ecare.journal.tasks.export_heads", "schedule": 600.0, "options": {"expires": 600}},
    "daily letters": {"task": "ecare.letters.tasks.gather", "schedule": 60.0, "options": {"expires": 60}},
}
