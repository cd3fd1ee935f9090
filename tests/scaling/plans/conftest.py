"""One fit of each kind, saved once for all tests of the room."""

import pytest

from tests.scaling.plans import saved_fits


@pytest.fixture(scope="session")
def law_file(tmp_path_factory):
    return saved_fits.parametric(tmp_path_factory.mktemp("fit"))


@pytest.fixture(scope="session")
def profiles_file(tmp_path_factory):
    return saved_fits.profiles(tmp_path_factory.mktemp("fit"))
