"""What the tests share: one BitBot with its sandbox, one Chromium, and visits, each with a fresh browser context."""

import json
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from running import PASSWORD, BitBot
from visiting import Visits, launch_options

# Patience with a busy machine, not a promise to people.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright):
    browser = playwright.chromium.launch(**launch_options())
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def server():
    """BitBot with its sandbox; the admin has chosen a password."""
    with BitBot() as bitbot:
        bitbot.choose_password()
        yield bitbot


@pytest.fixture(scope="session")
def signed_in(browser, server):
    """The cookies of somebody who has signed in with the password."""
    context = browser.new_context()
    answer = context.request.post(f"{server.origin}/api/v1/session", data={"password": PASSWORD})
    assert answer.ok, answer.text()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def visit(browser, server, signed_in):
    """Opens pages: `visit("#/bots")` signed in, `visit("#/", signed_in=False)`. Nothing may go wrong in any of them."""
    visits = Visits(browser, server, signed_in)
    yield visits
    visits.end()


@pytest.fixture(scope="session")
def closed_browser(playwright):
    """A Chromium that blocks third-party cookies."""
    with tempfile.TemporaryDirectory() as profile:
        preferences = Path(profile) / "Default" / "Preferences"
        preferences.parent.mkdir()
        preferences.write_text(json.dumps({"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": True}}))
        context = playwright.chromium.launch_persistent_context(profile, **launch_options())
        yield context
        context.close()


@pytest.fixture
def portal(closed_browser, server):
    """Opens pages of the sandbox's portal, in a browser that blocks third-party cookies."""
    visits = Visits(closed_browser, server, None)
    yield visits
    visits.end()
