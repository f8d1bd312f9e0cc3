"""The simulated APIs agree with the official ones."""

from __future__ import annotations

import gzip
import json
import os
import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    is_required_argument,
    is_required_input_field,
)
from pydantic import SecretStr

from veelocity_pipeline.simulator import SimulatedApp, SimulatedInstallation, Simulator
from veelocity_pipeline.sources.github.app import NEEDED, AppAccounts
from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.kit.http.client import Client

from .conftest import github

CONTRACTS = os.environ.get("VEELOCITY_CONTRACTS", "")
needs_contracts = pytest.mark.skipif(not CONTRACTS, reason="VEELOCITY_CONTRACTS names no folder of official schemas")


def official(name: str) -> str:
    return gzip.decompress((Path(CONTRACTS) / f"{name}.gz").read_bytes()).decode()


def ours(name: str) -> GraphQLSchema:
    return build_schema(
        (resources.files(f"veelocity_pipeline.simulator.{name}") / "schema.graphql").read_text(encoding="utf-8")
    )


def differences(part: GraphQLSchema, whole: GraphQLSchema) -> list[str]:
    """Everything in ``part`` that ``whole`` does not have exactly so."""
    found = []
    for name, type_ in part.type_map.items():
        if name.startswith("__"):
            continue
        theirs = whole.type_map.get(name)
        if type(theirs) is not type(type_):
            found.append(f"{name}: {type(theirs).__name__}")
        elif isinstance(type_, GraphQLEnumType):
            assert isinstance(theirs, GraphQLEnumType)
            if set(type_.values) != set(theirs.values):
                found.append(f"{name}: other values")
        elif isinstance(type_, GraphQLUnionType):
            assert isinstance(theirs, GraphQLUnionType)
            if not {each.name for each in type_.types} <= {each.name for each in theirs.types}:
                found.append(f"{name}: other members")
        elif isinstance(type_, GraphQLInputObjectType):
            assert isinstance(theirs, GraphQLInputObjectType)
            found += _fields(name, type_, theirs)
            for field_name, field in theirs.fields.items():
                if is_required_input_field(field) and field_name not in type_.fields:
                    found.append(f"{name}.{field_name} is required")
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            assert isinstance(theirs, GraphQLObjectType | GraphQLInterfaceType)
            if not {each.name for each in type_.interfaces} <= {each.name for each in theirs.interfaces}:
                found.append(f"{name}: other interfaces")
            found += _fields(name, type_, theirs)
        else:
            assert isinstance(type_, GraphQLScalarType)
    return found


def _fields(name: str, type_: Any, theirs: Any) -> list[str]:
    found = []
    for field_name, field in type_.fields.items():
        other = theirs.fields.get(field_name)
        if other is None or str(other.type) != str(field.type):
            found.append(f"{name}.{field_name}: {other and other.type}")
            continue
        for argument_name, argument in getattr(field, "args", {}).items():
            same = other.args.get(argument_name)
            if same is None or str(same.type) != str(argument.type) or same.default_value != argument.default_value:
                found.append(f"{name}.{field_name}({argument_name}): {same and same.type}")
        for argument_name, argument in getattr(other, "args", {}).items():
            if is_required_argument(argument) and argument_name not in field.args:
                found.append(f"{name}.{field_name}({argument_name}) is required")
    return found


@needs_contracts
@pytest.mark.parametrize("name", ["github", "linear"])
def test_schema_is_a_true_part_of_the_official_one(name: str) -> None:
    whole = build_schema(official(f"{name}.schema.graphql"), assume_valid=True)
    assert differences(ours(name), whole) == []


def test_a_difference_is_seen() -> None:
    whole = build_schema("type Query { a(x: Int): Int! e: E } enum E { ONE TWO }")
    part = build_schema("type Query { a(x: Int!): Int e: E b: Int } enum E { ONE }")
    assert differences(part, whole) == ["Query.a: Int!", "Query.b: None", "E: other values"]


# -- REST


def json_schema(node: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema: ``nullable`` is another type, or one more alternative."""
    if isinstance(node, list):
        return [json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    changed = {key: json_schema(value) for key, value in node.items() if key not in ("nullable", "example", "examples")}
    if node.get("nullable") is True:
        if isinstance(changed.get("type"), str) and not {"allOf", "anyOf", "oneOf"} & changed.keys():
            changed["type"] = [changed["type"], "null"]
            if "enum" in changed:
                changed["enum"] = [*changed["enum"], None]
        else:
            changed = {"anyOf": [changed, {"type": "null"}]}
    return changed


@cache
def openapi() -> dict[str, Any]:
    description = json.loads(official("github.openapi.json"))
    return {"paths": description["paths"], "components": {"schemas": json_schema(description["components"]["schemas"])}}


def check_rest(template: str, path: str, body: Any, method: str = "get", status: str = "200") -> None:
    """The body conforms to the response that the official description gives for the path."""
    operation = openapi()["paths"][template][method]
    known = set()
    for parameter in operation.get("parameters", ()):
        resolved = parameter.get("name") or parameter["$ref"].rpartition("/")[2]
        known.add(resolved.replace("workflow-run-", "").replace("-", "_"))
    assert set(re.findall(r"[?&](\w+)=", path)) <= known
    schema = json_schema(operation["responses"][status]["content"]["application/json"]["schema"])
    schema["components"] = openapi()["components"]
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    problems = [f"{'/'.join(map(str, each.absolute_path))}: {each.message}" for each in validator.iter_errors(body)]
    assert problems == []


@needs_contracts
@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/user", "/user"),
        ("/rate_limit", "/rate_limit"),
        ("/orgs/{org}/repos", "/orgs/acme/repos"),
        ("/users/{username}/repos", "/users/acme/repos?per_page=5"),
        ("/repos/{owner}/{repo}", "/repos/acme/web"),
        ("/repos/{owner}/{repo}", "/repos/acme/legacy-admin"),
        ("/repos/{owner}/{repo}/actions/workflows", "/repos/acme/web/actions/workflows"),
        ("/repos/{owner}/{repo}/actions/runs", "/repos/acme/web/actions/runs?per_page=15"),
        ("/repos/{owner}/{repo}/actions/runs", "/repos/acme/sdk-python/actions/runs?event=pull_request&per_page=15"),
        ("/repos/{owner}/{repo}/actions/runs", "/repos/acme/mobile/actions/runs?per_page=15&page=2"),
    ],
)
def test_rest_answers_conform(demo: Simulator, template: str, path: str) -> None:
    with github(demo) as client:
        response = client.get(path)
    assert response.status_code == 200
    check_rest(template, path, response.json())


@needs_contracts
def test_rest_answers_about_one_thing_conform(demo: Simulator) -> None:
    web = demo.organization.repositories[0]
    run = next(each for each in web.runs if len(each.attempts) > 1)
    base = "/repos/acme/web"
    merged = [each.merge_commit for each in web.pull_requests if each.merge_commit]
    cases = [
        ("/repos/{owner}/{repo}/actions/runs/{run_id}", f"{base}/actions/runs/{run.id}"),
        (
            "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}",
            f"{base}/actions/runs/{run.id}/attempts/1",
        ),
        ("/repos/{owner}/{repo}/actions/runs/{run_id}/jobs", f"{base}/actions/runs/{run.id}/jobs?filter=all"),
        (
            "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
            f"{base}/actions/runs/{run.id}/attempts/1/jobs",
        ),
        (
            "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
            f"{base}/actions/workflows/{run.workflow.id}/runs",
        ),
        ("/repos/{owner}/{repo}/commits/{ref}", f"{base}/commits/{merged[5].sha}"),
        ("/repos/{owner}/{repo}/compare/{basehead}", f"{base}/compare/{merged[5].sha}...{merged[9].sha}"),
    ]
    with github(demo) as client:
        for template, path in cases:
            response = client.get(path)
            assert response.status_code == 200, path
            check_rest(template, path, response.json())


@needs_contracts
def test_what_an_app_is_answered_conforms(small: Simulator) -> None:
    """The requests that an App makes, as it makes them: two reads, and the one that makes a token."""
    app = SimulatedApp()
    app.installations.append(SimulatedInstallation(7_002, "globex", suspended_at=small.now))
    small.github.app = app
    accounts = AppAccounts(app.id, SecretStr(app.private_key))
    client = Client(small.github_url, "", accounts, provider=GITHUB).using((accounts.app,))
    check_rest("/app", "/app", client.get("/app").json)
    (page,) = client.pages("/app/installations", {"per_page": 100})
    listing = openapi()["paths"]["/app/installations"]["get"]
    assert {each["$ref"].rpartition("/")[2] for each in listing["parameters"] if "$ref" in each} >= {"per-page", "page"}
    # In the answer's own schema an account is a user and an enterprise at once; the component has it right.
    item = {"$ref": "#/components/schemas/installation"}
    jsonschema.validate(page, {"type": "array", "items": item, "minItems": 2, "components": openapi()["components"]})
    path = "/app/installations/{installation_id}/access_tokens"
    check_rest(path, "", client.create_token(path.format(installation_id=7_001), about="").json, "post", "201")
    posted = [entry for entry in small.log if entry.method == "POST" and entry.api == "rest"]
    assert [entry.path for entry in posted] == ["/app/installations/7001/access_tokens"]
    assert {*NEEDED} <= openapi()["components"]["schemas"]["app-permissions"]["properties"].keys()
    small.github.app = None


@needs_contracts
def test_rest_errors_have_the_official_shape(small: Simulator) -> None:
    schema = openapi()["components"]["schemas"]["basic-error"]
    with github(small) as client:
        body = client.get("/repos/acme/nothing").json()
    jsonschema.validate(body, schema)
    assert body["message"] == "Not Found"
