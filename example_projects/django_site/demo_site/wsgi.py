"""What gunicorn serves. With --preload, its workers start with the prompts that are fetched here."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_site.settings")
application = get_wsgi_application()

from scope_django import get_client  # noqa: E402  # it needs the settings

get_client().prefetch(["greeting"], deadline=2.0)
