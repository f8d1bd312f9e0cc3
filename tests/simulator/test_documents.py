"""Every document that the sources send is answered here."""

from __future__ import annotations

import importlib

import pytest
from graphql import GraphQLSyntaxError, OperationDefinitionNode, parse, specified_rules, validate
from graphql.validation import NoUnusedFragmentsRule

from veelocity_pipeline.simulator.engine import Engine
from veelocity_pipeline.simulator.github import graphql as github_graphql_graphql
from veelocity_pipeline.simulator.linear import graphql as linear_graphql_graphql


def documents(module: str) -> dict[str, str]:
    """Constants of a module that are whole operations."""
    found = {}
    for name, value in vars(importlib.import_module(module)).items():
        if not isinstance(value, str) or name.startswith("__"):
            continue
        try:
            parsed = parse(value)
        except GraphQLSyntaxError:
            continue
        if any(isinstance(each, OperationDefinitionNode) for each in parsed.definitions):
            found[name] = value
    return found


@pytest.mark.parametrize(
    ("module", "engine"),
    [
        ("veelocity_pipeline.sources.github.queries", github_graphql_graphql.engine()),
        ("veelocity_pipeline.sources.linear.queries", linear_graphql_graphql.engine()),
    ],
    ids=["github", "linear"],
)
def test_documents_of_the_sources_are_valid_here(module: str, engine: Engine) -> None:
    found = documents(module)
    assert found
    rules = [rule for rule in specified_rules if rule is not NoUnusedFragmentsRule]
    for name, text in found.items():
        assert validate(engine.schema, parse(text), rules) == [], name
