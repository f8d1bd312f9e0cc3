"""Which environments are production by their names; the models split and judge them alike."""

from __future__ import annotations

import pytest

from veelocity_pipeline.config.environments import OTHER, PRODUCTION, is_production, words
from veelocity_pipeline.config.sections import Deployments, RepositoryOverrides, Service
from veelocity_pipeline.config.settings import Settings

NAMES = {
    "production": True,
    "Production-EU": True,
    "prod2": True,
    "eu_PROD": True,
    "liveBlue": True,
    "prd.us": True,
    "preprod": False,
    "pre-prod": False,
    "preProd": False,
    "liveStaging": False,
    "production-canary": False,
    "not live": False,
    "product": False,
    "olive": False,
    "2prod": False,
    "": False,
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_an_environment_is_production_by_its_words(name: str, expected: bool) -> None:
    assert is_production(name) is expected


def test_a_name_is_split_at_marks_digits_and_humps() -> None:
    assert words("eu-PRODUCTIONBlueGreen42_live.v2") == ["eu", "productionblue", "green", "42", "live", "v", "2"]


def test_no_word_says_both() -> None:
    assert not PRODUCTION & OTHER


def test_the_settings_patterns_take_the_place_of_the_words() -> None:
    settings = Settings.model_construct(
        **{
            **Settings.model_construct().__dict__,
            "repositories": (RepositoryOverrides(name="acme/web", deployments={"production_environments": ["blue*"]}),),
            "services": (Service(name="api", repository="acme/web", environments=("api-*",)),),
            "deployments": Deployments(),
        }
    )
    found = {
        (repository, name)
        for repository in ("acme/web", "acme/other")
        for name in ("Blue-1", "prod", "api-eu")
        if settings.is_production(repository, name)
    }
    assert found == {("acme/web", "Blue-1"), ("acme/web", "api-eu"), ("acme/other", "prod")}
