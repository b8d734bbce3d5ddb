"""The jobs of the service, one module each.

`discover_jobs` finds every module in this package, so a new module needs no registration.
"""

from importlib import import_module
from inspect import isclass
from pkgutil import iter_modules

from app.job_queue import Job


def discover_jobs() -> list[type[Job]]:
    """Return the jobs of all modules, in the alphabetical order of the modules.

    Raises `TypeError` if a module does not define exactly one.
    """
    modules = iter_modules(__path__, prefix=f"{__name__}.")
    return [_import_job(module.name) for module in modules]


def _import_job(name: str) -> type[Job]:
    members = vars(import_module(name)).values()
    jobs = [one for one in members if isclass(one) and issubclass(one, Job)]
    defined = [job for job in jobs if job.__module__ == name]
    if len(defined) != 1:
        raise TypeError(f"{name} must define one subclass of `Job`, and defines {len(defined)}")
    return defined[0]
