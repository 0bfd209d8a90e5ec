"""The one settings file; what differs between machines comes from the environment (junto/env.py)."""

from __future__ import annotations

from typing import Any

import dj_database_url

from junto import admin_look, logs
from junto.env import (
    ROOT,
    data_dir,
    env_bool,
    env_commands,
    env_hosts,
    env_keys,
    env_networks,
    env_prices,
    env_secret,
    env_targets,
    env_text,
    env_url,
    refuse_half_a_model,
    refuse_unknown_names,
)

refuse_unknown_names()

BASE_DIR = ROOT
DEBUG = env_bool("JUNTO_DEBUG", False)
SECRET_KEY = env_secret("JUNTO_SECRET_KEY")
CREDENTIAL_KEYS = env_keys("JUNTO_CREDENTIAL_KEYS")
AUDIT_KEY = env_secret("JUNTO_AUDIT_KEY")
ALLOWED_HOSTS = env_hosts("JUNTO_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
PUBLIC_URL = env_url("JUNTO_PUBLIC_URL", "http://127.0.0.1:8000")
REDIS_URL = env_url("REDIS_URL")
LOCAL_TARGETS = env_targets("JUNTO_LOCAL_TARGETS")
PRIVATE_CIDRS = env_networks("JUNTO_PRIVATE_CIDRS")
MCP_COMMANDS = env_commands("JUNTO_MCP_COMMANDS")
refuse_half_a_model()
LLM_BASE_URL = env_url("JUNTO_LLM_BASE_URL")
LLM_API_KEY = env_text("JUNTO_LLM_API_KEY")
LLM_MODEL = env_text("JUNTO_LLM_MODEL")
LLM_PRICES = env_prices("JUNTO_LLM_PRICES", model=LLM_MODEL)

INSTALLED_APPS = [
    "junto.tenants",
    "junto.audit",
    "junto.inbox",
    "junto.team",
    "integrations",
    "approvals",
    "signals",
    "runbooks",
    "agent",
    "junto.desk",
    "unfold",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django_tasks",
    "channels",
    "guardian",
    "simple_history",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "django_prometheus",
]
if REDIS_URL:
    INSTALLED_APPS += ["django_rq", "django_tasks_rq"]

MIDDLEWARE = [
    "junto.tenants.access.OrganizationPrefix",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "junto.tenants.access.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "junto.desk.visible.ShowHiddenCharacters",
    "junto.desk.refusals.MethodNotAllowedPage",
    # before Django's own, so that the admin's pages too lead to the one login page
    "junto.tenants.access.MembershipMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "junto.urls"
ORGANIZATION_URLCONF = "junto.urls_organization"
ASGI_APPLICATION = "junto.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "junto.desk.context.shell",
            ]
        },
    }
]


def _databases() -> dict[str, Any]:
    found: dict[str, Any] = dict(
        dj_database_url.parse(env_url("DATABASE_URL", f"sqlite:///{data_dir() / 'junto.sqlite3'}"))
    )
    if found["ENGINE"].endswith("sqlite3"):
        # DEFERRED gave 448,932 lock errors with 4 writers, IMMEDIATE none (STACK.md, database)
        found["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # 16 MB of pages for each connection, not 2: a delivery writes a dozen indexes, and takes a tenth less CPU
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA cache_size=-16000;",
        }
        found["TEST"] = {"NAME": str(data_dir() / "test.sqlite3")}
    else:
        # under ASGI each request has a thread of its own: what is kept for that thread is never used again, and at 50
        # requests a second these were more connections than the server takes
        found["CONN_MAX_AGE"] = 0
    return {"default": found}


DATABASES = _databases()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# no mail leaves the machine, so no address is ever confirmed, and none must be for a second factor
MFA_ALLOW_UNVERIFIED_EMAIL = True
ACCOUNT_ADAPTER = "junto.desk.login.InvitationOnlyAdapter"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
CSRF_FAILURE_VIEW = "junto.desk.views.csrf_failure"
# no mail leaves the machine: what allauth would send is dropped, and no page promises any
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60  # seconds

SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
#: A ticket of 10 MB must reach its clear error (issue 2, section 7), so the body limit stands above it; bytes.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["junto.formats"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "static"]
WHITENOISE_USE_FINDERS = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["junto.team.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["junto.tenants.access.IsMember"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "junto.team.problems.answer_with_problem",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Junto API",
    "DESCRIPTION": (
        "For the sync jobs of the PSA: tickets in, signals out. Authenticate with `Authorization: Bearer <token>`."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

#: Queues of tasks, most urgent first: telling people and sessions what happened (database only, never slow); running
#: what was decided (waits for vendors); sessions that a person waits for (wait for a model); reading the sources; and
#: all that nobody waits for. What waits for something outside shares no lane with what may not wait.
LANES = ("news", "actions", "people", "polls", "default")
TASKS: dict[str, Any] = {
    "default": {
        "BACKEND": "django_tasks_rq.RQBackend" if REDIS_URL else "junto.engine.ThreadBackend",
        "QUEUES": list(LANES),
    }
}
RQ_QUEUES = {lane: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": -1} for lane in LANES} if REDIS_URL else {}
CHANNEL_LAYERS: dict[str, Any] = {
    "default": (
        {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

#: Topic -> dotted tasks it wakes (junto/bells.py).
BELLS: dict[str, list[str]] = {
    "signal.changed": [
        "signals.tasks.process_signal",  # first, so that what it finds is usually there when a session opens
        "agent.tasks.end_stopped_sessions",
        "agent.tasks.open_sessions",
        "agent.tasks.wake_ticket",
        "runbooks.tasks.fire_triggers",
    ],
    "firing.queued": ["agent.tasks.open_waiting"],
    "session.ready": ["agent.tasks.advance_session"],
    "session.unattended": ["agent.tasks.advance_unattended"],
    "session.rested": ["agent.tasks.open_waiting"],
    "session.events": ["agent.tasks.wake_sockets"],
    "replay.ready": ["agent.replay_tasks.work_on_replay"],
    "action.approved": ["approvals.tasks.run_action"],
    "action.changed": ["agent.tasks.record_action_event", "signals.tasks.take_opened"],
    "action.news": ["approvals.tasks.look_again_at_target"],
    "action.shown": ["agent.tasks.show_action"],
    "tool.blocked": ["approvals.tasks.forget_tool_policies"],
    "company.ended": ["approvals.tasks.stop_ended_company"],
    "connection.poll": ["signals.tasks.poll_connection"],
    "connection.compare": ["signals.tasks.compare_connection"],
    "connection.repair": ["signals.tasks.repair_connection"],
    "webhook.hint": ["signals.tasks.read_hints"],
    "webhook.key": ["integrations.tasks.fetch_webhook_key"],
    "systems.changed": ["signals.tasks.judge_again"],
    "directory.changed": ["signals.tasks.place_waiting"],
    "signal.processed": ["agent.tasks.wake_ticket"],
    "back_test.ready": ["signals.tasks.work_on_back_test"],
    "rerun.ready": ["signals.tasks.work_on_rerun"],
    "result.wished": ["signals.tasks.write_back"],
    "alert.cleared": ["signals.tasks.close_cleared"],
    "signal.escalated": ["agent.tasks.wake_ticket"],
    "processor.untrained": ["signals.tasks.train"],
    "import.ready": ["signals.tasks.read_import"],
    "runbook.unencoded": ["runbooks.tasks.encode_runbooks"],
}
#: Dotted task -> seconds between two runs (junto/engine.py).
CLOCK: dict[str, int] = {
    "signals.tasks.poll_all": 30,
    "signals.tasks.sweep_processors": 10,
    "signals.tasks.sweep_wishes": 30,
    "signals.tasks.sweep_back_tests": 30,
    "signals.tasks.sweep_reruns": 30,
    "signals.tasks.sweep_hints": 15,
    "signals.tasks.end_maintenance": 20,
    "signals.tasks.keep_service_clocks": 10,
    "signals.tasks.escalate_all": 30,
    "signals.tasks.sweep_strays": 300,
    "signals.tasks.compare_due": 900,
    "signals.tasks.train_due": 600,
    "signals.tasks.judge_all_again": 600,
    "signals.tasks.sweep_imports": 15,
    "agent.tasks.sweep_sessions": 5,
    "agent.tasks.sweep_usage": 60,
    "runbooks.tasks.fire_schedules": 15,
    "agent.replay_tasks.sweep_replays": 30,
    "approvals.tasks.sweep_actions": 5,
    "integrations.tasks.sync_directories": 3600,
    "junto.audit.tasks.export_heads": 3600,
    "junto.desk.tasks.send_daily_digests": 300,
    "junto.team.tasks.forget_answers": 3600,
}

#: Requests that an API token may make in a minute.
API_PER_MINUTE = {"read": 6000, "write": 600}
_LOCAL_CACHE = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}}
CACHES: dict[str, Any] = {
    "default": _LOCAL_CACHE,
    # what all processes count together; without Redis there is one process
    "counters": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "junto",
            "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
        }
        if REDIS_URL
        else {**_LOCAL_CACHE, "LOCATION": "counters"}
    ),
}

UNFOLD = admin_look.UNFOLD
SIMPLE_HISTORY_REVERT_DISABLED = True

logs.configure()
LOGGING = logs.LOGGING
