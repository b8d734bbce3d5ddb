"""Generated resources pass lint, their migrations and their own tests, on both layers."""

import os
import random

import pytest
from conftest import LAYERS, Bake
from resource_projects import SPECIFICATIONS, check_generated, generate_or_reject
from resource_specifications import (
    Command,
    covering_specifications,
    random_specifications,
    rejected_pairs,
    write_commands,
)
from shared_environment import install

pytestmark = pytest.mark.slow

#: The others run nightly.
ALWAYS = {("types", LAYERS[0]), ("owned", LAYERS[-1])}
PROJECTS = [
    pytest.param(name, layer, marks=() if (name, layer) in ALWAYS else pytest.mark.options)
    for name in SPECIFICATIONS
    for layer in LAYERS
]
#: Numbers of random specifications: in `make test`, always the same ones; nightly, others.
FEW, MANY = 5, 60
CONTEXTS = [(True, True), (True, False), (False, True), (False, False)]


@pytest.mark.parametrize(("name", "layer"), PROJECTS)
def test_generated_resources_pass_lint_and_tests(name: str, layer: str, bake: Bake) -> None:
    context, fixed = SPECIFICATIONS[name]
    project = bake(**context, database_layer=layer)
    install(project)
    commands = [Command(arguments) for arguments in fixed]
    if (name, layer) in ALWAYS:
        drawn = random_specifications(FEW, seed=2)
        # The project has customers already.
        commands += write_commands(drawn, **context, has_owned_customers=context["auth"])[1:]

    check_generated(project, generate_or_reject(project, commands))


@pytest.mark.options
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("auth", "example"), CONTEXTS)
def test_covering_and_random_resources_pass(
    auth: bool, example: bool, layer: str, bake: Bake
) -> None:
    project = bake(auth=auth, example=example, database_layer=layer)
    install(project)
    # The other layer has the same resources in another context.
    part = (CONTEXTS.index((auth, example)) + LAYERS.index(layer)) % 4
    covering = covering_specifications(40, 8)[part::4]
    seed = int(os.environ.get("RESOURCE_SEED") or random.randrange(10**6))  # noqa: S311
    drawn = random_specifications(MANY, seed)[part::4]
    commands = write_commands([rejected_pairs(), *covering, *drawn], auth=auth, example=example)
    # pytest shows this if the test fails.
    print(f"RESOURCE_SEED={seed} auth={auth} example={example} {layer}", *commands, sep="\n")  # noqa: T201

    check_generated(project, generate_or_reject(project, commands))
