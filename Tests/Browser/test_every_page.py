"""What every page keeps to: axe finds nothing in light and dark, and it fits a phone."""

import pytest
from playwright.sync_api import expect

from running import eventually
from visiting import Visits, findings, go, settled, too_wide

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}

ROUTES = [
    "#/portals", "#/", "#/portals/new", "#/portals/new/webhook", "#/portals/new/app", "#/portals/new/app/{app}",
    "#/portals/new/sandbox", "#/portals/{portal}", "#/apps", "#/apps/{app}", "#/providers", "#/providers/new",
    "#/providers/{provider}", "#/connectors", "#/connectors/new", "#/connectors/new?provider={provider}",
    "#/connectors/{connector}", "#/bots", "#/bots/new", "#/bots/{bot}", "#/bots/{bot}/settings", "#/bots/{bot}/commands",
    "#/bots/{bot}/channels", "#/playground", "#/playground?connector={connector}", "#/dialogs", "#/dialogs/{dialog}",
    "#/live", "#/work", "#/changes", "#/settings",
]


@pytest.fixture(scope="module")
def inhabited(server):
    """The ids of things to show, and a dialog in which something was said."""
    bot = server.named("/bots", "Sandbox support")
    server.sandbox.choose("customer", "chatflow")
    server.sandbox.write("customer", "A question of a customer")
    server.sandbox.hears("customer", "A question of a customer")
    dialog = eventually(
        lambda: next((one for one in server.all("/dialogs") if one["bot_id"] == bot["id"]), None), "a dialog")
    app = server.api("POST", "/apps", {"name": "An application without keys", "bitbot": True})
    yield {
        "app": app["id"], "portal": server.all("/portals")[-1]["id"], "provider": server.named("/providers", "Simulated Dify")["id"],
        "connector": server.named("/connectors", "Demonstration chatflow")["id"], "bot": bot["id"], "dialog": dialog["id"],
    }
    server.api("DELETE", f"/apps/{app['id']}")


@pytest.fixture(scope="module")
def tour(browser, server, signed_in):
    """One visit that goes from page to page."""
    visits = Visits(browser, server, signed_in)
    page = visits("#/", viewport=DESK)
    settled(page)
    visits.check()
    yield visits, page
    visits.end()


@pytest.mark.parametrize("route", ROUTES)
def test_axe_finds_nothing_and_it_fits_a_phone(tour, inhabited, route):
    visits, page = tour
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    go(page, route.format(**inhabited))
    assert findings(page) == []
    page.emulate_media(color_scheme="dark")
    assert findings(page, ["color-contrast"]) == []
    page.set_viewport_size(PHONE)
    assert too_wide(page) == []
    visits.check()


def test_a_page_that_is_not_there_says_so(visit):
    page = visit("#/nowhere")
    expect(page.get_by_role("heading", name="Not here")).to_be_visible()
    assert findings(page) == []


@pytest.mark.parametrize("route", ["#/", "#code=nonsense"])
def test_axe_finds_nothing_before_signing_in_and_it_fits_a_phone(visit, route):
    page = visit(route, signed_in=False)
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    assert findings(page) == []
    page.emulate_media(color_scheme="dark")
    assert findings(page, ["color-contrast"]) == []
    page.set_viewport_size(PHONE)
    assert too_wide(page) == []


def test_a_dialog_that_asks_before_deleting_is_free_of_findings(visit, inhabited):
    page = visit(f"#/connectors/{inhabited['connector']}")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Delete")).to_be_focused()


def test_a_dialog_closes_when_one_goes_back_to_another_page(visit, inhabited):
    page = visit("#/connectors")
    go(page, f"#/connectors/{inhabited['connector']}")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Connectors", level=1)).to_be_visible()
    expect(page.get_by_role("alertdialog")).to_have_count(0)


@pytest.mark.parametrize("name", ["bitbot.md", "bitrix.md", "bitbot.ru.md", "bitrix.ru.md"])
def test_the_guide_is_free_of_findings_and_fits_a_phone(visit, server, name):
    page = visit("about:blank")
    page.goto(f"{server.origin}/guide/{name}")
    page.locator("h1").first.wait_for()
    assert findings(page) == []
    if name == "bitbot.md":
        page.emulate_media(color_scheme="dark")
        assert findings(page, ["color-contrast"]) == []
    page.set_viewport_size(PHONE)
    assert too_wide(page) == []


def test_the_menu_of_a_phone_opens_and_closes_with_its_choice(visit):
    page = visit("#/", viewport=PHONE)
    settled(page)
    menu = page.get_by_role("button", name="Menu")
    expect(menu).to_have_attribute("aria-expanded", "false")
    menu.click()
    expect(menu).to_have_attribute("aria-expanded", "true")
    assert findings(page) == []
    page.get_by_role("link", name="Portals").first.click()
    expect(page.get_by_role("heading", name="Portals", level=1)).to_be_visible()
    expect(menu).to_have_attribute("aria-expanded", "false")
