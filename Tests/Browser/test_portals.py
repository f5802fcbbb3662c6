"""Connecting a portal: its three doors."""

import re

import pytest
from playwright.sync_api import expect

from visiting import expect_fault


@pytest.fixture
def opened(visit):
    page = visit("#/portals")
    page.get_by_role("link", name="Connect a portal").first.click()
    expect(page.get_by_role("heading", name="Connect a portal", level=1)).to_be_visible()
    return page


def test_a_webhook_connects_a_portal_and_a_wrong_address_says_what_is_wrong(visit, opened, server):
    visit.allow(422)
    page = opened
    page.get_by_role("link", name=re.compile("Incoming webhook")).click()
    address = page.get_by_label("Address of the webhook")
    connect = page.get_by_role("button", name="Connect", exact=True)
    connect.click()
    expect_fault(address, "needed")
    address.fill("https://example.bitrix24.com/")
    connect.click()
    expect_fault(address, "/rest/1/code/")
    expect(address).to_have_value("https://example.bitrix24.com/")
    address.fill("http://example.bitrix24.com/rest/1/abcdefgh/")
    connect.click()
    expect_fault(address, "https://")

    address.fill(server.webhook)
    connect.click()
    expect(page.get_by_role("heading", name=re.compile("is connected"))).to_be_visible()
    expect(page.get_by_text("All is well").first).to_be_visible()
    code = server.webhook.rstrip("/").split("/")[-1]
    assert code not in page.content()
    webhook = next(one for one in server.all("/installations") if one["kind"] == "webhook")
    assert webhook["status"] == "active"

    page.get_by_role("link", name="Show the portal").click()
    expect(page.get_by_role("listitem").filter(has_text="Incoming webhook").first).to_contain_text("Works")


def test_a_webhook_that_the_portal_does_not_know_is_refused_and_kept_in_the_field(visit, opened, server):
    visit.allow(401, 403, 409, 422, 502, 503)
    page = opened
    page.get_by_role("link", name=re.compile("Incoming webhook")).click()
    wrong = re.sub(r"/rest/1/\w+/", "/rest/1/thisiswrong/", server.webhook)
    address = page.get_by_label("Address of the webhook")
    address.fill(wrong)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.locator("form .notice.bad, form .error:not(:empty)").first).to_be_visible()
    expect(address).to_have_value(wrong)


def test_a_local_application_is_led_from_addresses_to_keys_to_the_check(visit, opened, server):
    visit.allow(422)
    page = opened
    page.get_by_role("link", name=re.compile("Local application")).click()
    # The sandbox's server is on this machine, where no Bitrix24 comes.
    expect(page.get_by_text("Bitrix24 cannot reach this server")).to_be_visible()
    name = page.get_by_label("Name of the application")
    page.get_by_role("button", name="Next").click()
    expect_fault(name, "needed")
    name.fill("Guided application")
    page.get_by_role("button", name="Next").click()

    expect(page.get_by_role("heading", name="Guided application")).to_be_visible()
    app = server.named("/apps", "Guided application")
    for address in ("settings_url", "install_url"):
        expect(page.get_by_text(app[address])).to_be_visible()
    signs = page.get_by_role("status").filter(has_text="keys")
    expect(signs).to_contain_text("The keys are not here yet")
    secret = page.get_by_label("Application key (client_secret)")
    page.get_by_label("Application code (client_id)").fill("local.0123456789abcd.99999999")
    page.get_by_role("button", name="Save the keys").click()
    expect_fault(secret, "needed")
    secret.fill("the-key")
    page.get_by_role("button", name="Save the keys").click()
    expect(signs).to_contain_text("The keys are here")
    expect(signs).to_contain_text("Waiting for Bitrix24 to open BitBot’s address")


def test_the_guided_path_sees_by_itself_that_the_application_was_opened(visit, server):
    app = server.named("/apps", "BitBot Sandbox")
    page = visit(f"#/portals/new/app/{app['id']}")
    expect(page.get_by_role("heading", name=re.compile("is connected"))).to_be_visible()


def test_the_sandbox_is_one_click_away(opened, server):
    page = opened
    page.get_by_role("link", name=re.compile("Sandbox")).click()
    link = page.get_by_role("link", name="Open the sandbox")
    expect(link).to_have_attribute("href", re.compile(re.escape(server.sandbox.origin)))


def test_a_check_of_the_portal_says_that_all_is_well(visit, server):
    portal = server.all("/portals")[-1]
    page = visit(f"#/portals/{portal['id']}")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("All is well").first).to_be_visible()
