"""What strangers and other administrators write is shown as text, wherever it appears."""

import re

import pytest
from playwright.sync_api import expect

from visiting import go, settled

IMAGE = "<img src=x onerror=\"document.title='broken into'\">"
SCRIPT = "<script>document.title='broken into'</script>"
NAME = f"{IMAGE} name"
SAID = f"{SCRIPT}{IMAGE} message"


@pytest.fixture(scope="module")
def named(server):
    """Things with markup for names, and a dialog in which markup was said."""
    provider = server.api("POST", "/providers", {"name": NAME, "type": "webhook", "url": "https://bot.example.com/ask"})
    connector = server.api("POST", "/connectors", {"name": NAME, "provider_id": provider["id"]})
    app = server.api("POST", "/apps", {"name": NAME})
    bot = server.named("/bots", "Word counter")
    server.api("PATCH", f"/bots/{bot['id']}", {"name": NAME})
    server.sandbox.choose("customer", "workflow")
    server.sandbox.write("customer", SAID)
    server.sandbox.hears("customer", "words:")
    dialog = server.all(f"/dialogs?bot_id={bot['id']}")[0]
    yield {
        "provider": provider["id"], "connector": connector["id"], "app": app["id"], "bot": bot["id"], "dialog": dialog["id"],
    }
    server.api("PATCH", f"/bots/{bot['id']}", {"name": "Word counter"})
    for path in (f"/connectors/{connector['id']}", f"/providers/{provider['id']}", f"/apps/{app['id']}"):
        server.api("DELETE", path)


def is_only_text(page, words="name"):
    settled(page)
    expect(page.get_by_text(re.compile(rf"onerror=.* {words}")).first).to_be_attached()
    assert page.locator("img[src=x], main script, [onerror]").count() == 0
    assert page.title().count("broken into") == page.title().count("onerror")


@pytest.mark.parametrize("route", [
    "#/", "#/providers", "#/providers/{provider}", "#/connectors", "#/connectors/{connector}", "#/apps", "#/apps/{app}",
    "#/bots", "#/bots/{bot}", "#/dialogs", "#/dialogs/{dialog}", "#/changes", "#/playground?bot={bot}",
])
def test_a_name_with_markup_stays_a_name(visit, named, route):
    page = visit(route.format(**named))
    settled(page)
    if route == "#/":
        for fold in page.locator("details.more-lights > summary").all():
            fold.click()
    is_only_text(page)


def test_a_message_with_markup_stays_a_message(visit, named):
    page = visit(f"#/dialogs/{named['dialog']}")
    is_only_text(page, "message")
    expect(page.locator(".message").filter(has_text="<script>").first).to_be_visible()
    page.get_by_role("button", name="What the bot platform was asked").last.click()
    expect(page.get_by_role("dialog").locator("pre").first).to_have_text(SAID)
    is_only_text(page, "message")


def test_markup_stays_text_in_the_live_view(visit, server, named):
    page = visit("#/live")
    expect(page.get_by_text("Listening")).to_be_visible()
    server.sandbox.write("customer", f"{IMAGE} live")
    expect(page.locator("ol.live li").filter(has_text="live").first).to_be_visible()
    is_only_text(page, "live")


def test_a_bots_answer_with_markup_stays_an_answer(visit, server):
    echoed = f"<img src=x class=echoed>{SCRIPT} echoed"
    page = visit("#/playground?connector=" + server.named("/connectors", "Demonstration chatflow")["id"])
    write = page.get_by_role("textbox", name="Write a message")
    write.fill(echoed)
    write.press("Enter")
    expect(page.locator(".bubble.prose")).to_contain_text(SCRIPT)
    expect(page.locator(".bubble.prose")).to_contain_text("turn 1")
    assert page.locator("img[src=x], main script").count() == 0

    server.sandbox.choose("customer", "chatflow")
    server.sandbox.write("customer", echoed)
    server.sandbox.hears("customer", "echoed")
    bot = server.named("/bots", "Sandbox support")
    go(page, f"#/dialogs/{server.all('/dialogs?bot_id=' + bot['id'])[0]['id']}")
    expect(page.locator(".message.bot").last).to_contain_text(SCRIPT)
    assert page.locator("img[src=x], main script").count() == 0
    assert "broken into" not in page.title().replace(SCRIPT, "")


def test_markup_stays_text_inside_bitrix24(portal, server, named):
    address = server.sandbox.application
    portal.allow_origin("/".join(address.split("/")[:3]))
    page = portal.open(address)
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Bots", exact=True).click()
    expect(frame.get_by_text(NAME).first).to_be_visible()
    expect(frame.locator("img[src=x]")).to_have_count(0)
    employee = portal.open(f"{address}?user=2").frame_locator("iframe")
    expect(employee.get_by_text(NAME).first).to_be_visible()
    expect(employee.locator("img[src=x]")).to_have_count(0)
