"""The command `doctor`: what is wrong with the set-up of a site, and what to do about it."""

from typing import Optional

from ..errors import ConfigurationError
from ._report import Report
from ._site import Site


def doctor(site: Site, *, one_name: Optional[str] = None, lock_of_doctor: Optional[str] = None) -> Report:
    """Looks at the options of the site's client, its network, a token, a prompt, the shared cache and the files."""
    from .._doctor.diagnosis import diagnose  # heavier than all the rest, and for this command alone
    from .._doctor.report import data_of, failure_of, lines_of
    from .._doctor.setup import setup_of_client, setup_that_is_broken

    try:
        setup = setup_of_client(site.client(), lock_of_doctor)
    except ConfigurationError as error:
        problems = {problem.message: problem.hint for problem in site.problems()}
        setup = setup_that_is_broken(problems or {error.message: "do what it says"})
    checks = list(diagnose(setup, one_name))
    lines = [line for check in checks for line in lines_of(check)]
    return Report(lines, data_of(checks), failure_of(checks))
