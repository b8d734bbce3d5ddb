"""docs/jobs.md works when its steps are followed to the letter."""

import re

import pytest
from choices import skip_without_choices
from conftest import ALL_PASSED, LAYERS, Bake
from guides import follow
from shared_environment import install

JOB = r"^    (\w+): ClassVar\[\w+\] = (\w+)$"
ROW = r"^\| `(\w+)` \| `?(\w+)`? \|"


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("is_full", [False, pytest.param(True, marks=pytest.mark.options)])
def test_guide_adds_a_job_that_passes_lint_and_tests(layer: str, is_full: bool, bake: Bake) -> None:
    skip_without_choices({"jobs": True})
    project = bake(database_layer=layer, example=is_full, auth=is_full, jobs=True)
    install(project)
    guide, _, rest = project.read("docs/jobs.md").partition("\n## Delivery guarantees\n")
    assert "\n## Retries and timeouts\n" in rest

    _, lint, test = follow(project, guide, test_all=False)

    assert "All checks passed!" in lint
    assert ALL_PASSED.search(test), test
    assert {"app/jobs/award_points.py", "tests/jobs/test_award_points.py"} <= project.files()


def test_guide_has_the_defaults_of_the_class(bake: Bake) -> None:
    skip_without_choices({"jobs": True})
    project = bake(jobs=True)
    defaults = dict(re.findall(JOB, project.read("app/job_queue/job.py"), re.MULTILINE))

    table = dict(re.findall(ROW, project.read("docs/jobs.md"), re.MULTILINE))

    assert table == defaults
    assert len(table) == 5
