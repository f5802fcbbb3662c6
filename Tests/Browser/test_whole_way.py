"""The whole way: a provider, a connector, the test, the playground, a bot, a message in the portal, its transcript."""

import re

import pytest
from playwright.sync_api import expect

from running import eventually
from visiting import go, settled


@pytest.fixture
def webhook(server):
    """The sandbox's portal is connected by webhook too: the bots that one makes there can be written to on its page."""
    server.api("POST", "/installations", {"webhook_url": server.webhook})


@pytest.fixture
def simulated_dify(server):
    """The address of the sandbox's Dify."""
    return server.named("/providers", "Simulated Dify")["url"]


def test_a_new_bot_is_set_up_tried_and_its_first_answer_is_found_in_the_transcript(visit, server, simulated_dify, webhook):
    page = visit("#/providers")

    # A provider.
    page.get_by_role("link", name="Add a provider").first.click()
    page.get_by_label("Name").fill("Our Dify")
    page.get_by_label("Kind").select_option("dify_chatflow")
    page.locator("input[inputmode=url]").fill(simulated_dify)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("row").filter(has_text="Our Dify (Dify Chatflow)")).to_be_visible()

    # A connector with a key that the platform does not know: the test says so.
    provider = server.named("/providers", "Our Dify")
    go(page, f"#/connectors/new?provider={provider['id']}")
    page.get_by_label("Key", exact=True).fill("app-unknown")
    page.locator("form").get_by_label("Name").fill("Our flow")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("heading", name="Our flow", level=1)).to_be_visible()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text(re.compile("^No answer, after"))).to_be_visible()
    expect(page.locator("[role=status] .bad")).to_contain_text(re.compile("key|token|unauthorized", re.IGNORECASE))

    # A platform that answers.
    connector = server.named("/connectors", "Demonstration chatflow")
    go(page, f"#/connectors/{connector['id']}")
    page.get_by_role("textbox", name="What to ask").fill("Are you there?")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text(re.compile("^Answered in"))).to_be_visible()
    expect(page.locator(".bubble")).to_contain_text("Are you there?")

    # The playground.
    page.get_by_role("link", name=re.compile("Talk to it")).click()
    expect(page.get_by_role("heading", name="Playground", level=1)).to_be_visible()
    write = page.get_by_role("textbox", name="Write a message")
    write.fill("A first question")
    write.press("Enter")
    log = page.get_by_role("log")
    expect(log.locator(".bubble.prose strong")).to_have_text("turn 1")
    expect(log.get_by_text(re.compile("^Answered in"))).to_be_visible()
    write.fill("A second question")
    write.press("Enter")
    expect(log.locator(".bubble.prose strong").last).to_have_text("turn 2")

    # A bot, spoken with in the portal.
    go(page, f"#/connectors/{connector['id']}")
    page.get_by_role("link", name=re.compile("Make a bot")).click()
    expect(page.get_by_role("heading", name="New bot", level=1)).to_be_visible()
    form = page.locator("form")
    by_webhook = form.get_by_label("Portal").locator("option", has_text="Webhook")
    form.get_by_label("Portal").select_option(by_webhook.get_attribute("value"))
    form.get_by_label(re.compile("^Name")).fill("Newly made")
    page.get_by_role("radio", name=re.compile("^Chat ")).check()
    page.get_by_role("button", name="Create the bot").click()
    expect(page.get_by_role("heading", name="Newly made", level=1)).to_be_visible()
    bot = server.named("/bots", "Newly made")
    eventually(lambda: server.api("GET", f"/bots/{bot['id']}")["status"] == "active", "the bot is registered")
    made = f"bot-{bot['bot_id']}"
    eventually(lambda: made in [one["id"] for one in server.sandbox.state()["offers"]], "the sandbox offers it")
    server.sandbox.do("choices", place="employee", id=made)
    server.sandbox.write("employee", "A question from the portal")
    server.sandbox.hears("employee", "A question from the portal")

    # The transcript.
    go(page, f"#/dialogs?bot_id={bot['id']}")
    page.get_by_role("table", name="Dialogs").get_by_role("link").first.click()
    transcript = page.get_by_role("region", name="Transcript")
    expect(transcript.get_by_text("A question from the portal").first).to_be_visible()
    expect(transcript.locator(".message.bot").last).to_contain_text("turn 1")
    expect(transcript.get_by_text(re.compile("^Answered in"))).to_be_visible()
    transcript.get_by_role("button", name="What the bot platform was asked").last.click()
    exchange = page.get_by_role("dialog")
    expect(exchange).to_contain_text("Demonstration chatflow")
    expect(exchange.locator("pre").first).to_have_text("A question from the portal")
    expect(exchange.locator("pre").last).to_contain_text("turn 1")
    expect(exchange.get_by_text("Delivered").first).to_be_visible()
    exchange.get_by_text(re.compile(r"\d+ variables?")).click()
    expect(exchange.get_by_text("FIRST_NAME")).to_be_visible()
    assert "access_token" not in exchange.inner_text()
    page.keyboard.press("Escape")

    # What was done stands in the log of changes.
    go(page, "#/changes")
    expect(page.get_by_role("row").filter(has_text="Bot added").filter(has_text="Newly made")).to_contain_text("Administrator")


def test_a_typebots_buttons_can_be_pressed_in_the_playground(visit, server):
    connector = server.named("/connectors", "Demonstration flow")
    page = visit(f"#/playground?connector={connector['id']}")
    page.get_by_role("button", name="Hello").click()
    choices = page.get_by_role("group", name="Choices")
    choices.get_by_role("button", name="Coffee").click()
    expect(page.get_by_text("On which day will you come?", exact=True)).to_be_visible()
    expect(choices.get_by_role("button", name="Coffee")).to_be_disabled()


def test_a_playground_tells_why_there_is_no_answer(visit, server):
    provider = server.named("/providers", "Simulated Dify")
    connector = server.api("POST", "/connectors", {"name": "Wrong key", "provider_id": provider["id"], "key": "app-wrong"})
    page = visit(f"#/playground?connector={connector['id']}")
    page.get_by_role("button", name="Hello").click()
    expect(page.get_by_role("log").locator(".notice.bad")).to_be_visible()
    server.api("DELETE", f"/connectors/{connector['id']}")


def test_a_question_that_failed_is_asked_again_from_the_transcript_and_from_the_failed_work(visit, server):
    provider = server.named("/providers", "Simulated Dify")
    connector = server.api("POST", "/connectors", {"name": "To be mended", "provider_id": provider["id"], "key": "app-wrong"})
    known = server.named("/connectors", "Demonstration chatflow with files")
    bot = server.named("/bots", "Price list")
    server.api("PATCH", f"/bots/{bot['id']}", {"connector_id": connector["id"]})
    server.sandbox.choose("customer", "files")
    server.sandbox.write("customer", "Nobody answers this")
    failed = eventually(
        lambda: [one for one in server.all("/work") if one["bot_id"] == bot["id"] and one["state"] == "failed"], "failed work")

    page = visit("#/work")
    row = page.get_by_role("row").filter(has_text="Price list")
    expect(row).to_contain_text("Failed")
    expect(page.get_by_role("link", name=re.compile("Failed work")).locator(".count")).to_be_visible()
    row.get_by_role("link").first.click()
    expect(page.locator(".message.failed")).to_contain_text("Nobody answers this")
    server.api("PATCH", f"/bots/{bot['id']}", {"connector_id": known["id"]})
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".message.bot").last).to_contain_text("Nobody answers this")
    expect(page.locator(".message.failed")).to_have_count(0)
    assert failed[0]["id"] not in [one["id"] for one in server.all("/work")]
    server.api("DELETE", f"/connectors/{connector['id']}")


def test_the_live_view_shows_what_happens_and_can_be_paused(visit, server):
    page = visit("#/live")
    expect(page.get_by_text("Listening")).to_be_visible()
    server.sandbox.choose("customer", "chatflow")
    server.sandbox.write("customer", "Seen as it happens")
    expect(page.locator("ol.live li").filter(has_text="Seen as it happens").first).to_be_visible()
    expect(page.locator("ol.live li").filter(has_text="Answer").first).to_contain_text("Sandbox support")
    page.get_by_role("button", name="Pause").click()
    server.sandbox.write("customer", "Seen later")
    expect(page.get_by_role("button", name=re.compile(r"Continue \(\d+ new\)"))).to_be_visible()
    expect(page.get_by_text("Seen later")).to_have_count(0)
    page.get_by_role("button", name=re.compile("Continue")).click()
    expect(page.get_by_text("Seen later").first).to_be_visible()


def test_the_overview_says_that_all_is_well_and_counts_what_was_said(visit, server):
    server.sandbox.choose("customer", "chatflow")
    server.sandbox.write("customer", "To be counted")
    server.sandbox.hears("customer", "To be counted")
    page = visit("#/")
    settled(page)
    page.get_by_role("button", name="Day").click()
    expect(page.locator(".chart-figure").first).to_contain_text(re.compile(r"[1-9]"))


def test_an_operator_is_seen_and_a_dialog_whose_bot_has_left_is_not_shown_as_given_back(visit, server):
    server.sandbox.choose("customer", "chatflow")
    server.sandbox.write("customer", "operator")
    bot = server.named("/bots", "Sandbox support")
    theirs = f"/dialogs?bot_id={bot['id']}&state=operator"
    eventually(lambda: server.all(theirs), "the operator is noticed")
    page = visit(f"#{theirs}")
    page.get_by_role("table", name="Dialogs").get_by_role("link").first.click()
    expect(page.get_by_text("With an operator").first).to_be_visible()
    page.get_by_role("button", name="Give back to the bot").click()
    visit.allow(409)
    page.get_by_role("alertdialog").get_by_role("button", name="Give back to the bot").click()
    expect(page.get_by_text("The bot has left the chat").first).to_be_visible()
    expect(page.get_by_text("With an operator").first).to_be_visible()


def test_a_dialog_is_found_by_its_title_and_erased(visit, server):
    server.sandbox.choose("customer", "chatflow")
    server.sandbox.write("customer", "To be erased")
    server.sandbox.hears("customer", "To be erased")
    title = server.all("/dialogs")[0]["title"]
    page = visit("#/dialogs")
    page.get_by_role("searchbox").fill("no such title")
    expect(page.get_by_text("No dialogs here")).to_be_visible()
    page.get_by_role("searchbox").fill(title)
    link = page.get_by_role("table", name="Dialogs").get_by_role("link").first
    expect(link).to_contain_text(title)
    link.click()
    address = page.url
    page.get_by_role("button", name="Erase").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Erase").click()
    expect(page.get_by_role("heading", name="Dialogs", level=1)).to_be_visible()
    visit.allow(404)
    page.goto(address)
    expect(page.get_by_role("heading", name="Not here")).to_be_visible()
