"""Background jobs, see `app.job_queue`."""

from app.components import Component
from app.job_queue.settings import JobSettings

component = Component(settings_group=JobSettings)
