"""Each form: what is wrong is said at its field, nothing that was typed is lost, and what is right is saved."""

import re

import pytest
from playwright.sync_api import expect

from running import PASSWORD, BitBot, Refused, ask
from visiting import expect_fault, go


@pytest.fixture(autouse=True)
def provoked(visit):
    visit.allow(422)


def heading(page, name):
    return page.get_by_role("heading", name=name, level=1)


def row(page, name):
    return page.get_by_role("row").filter(has_text=name)


# Providers


def test_a_provider_is_added_once_its_name_and_address_are_right(visit, server):
    page = visit("#/providers/new")
    name, address = page.get_by_label("Name"), page.get_by_label("Address", exact=False).and_(page.locator("input[inputmode=url]"))
    page.get_by_role("button", name="Create").click()
    expect_fault(name, "needed")

    name.fill("Program of ours")
    page.get_by_label("Kind").select_option("webhook")
    address.fill("not an address")
    page.get_by_role("button", name="Create").click()
    expect_fault(address, "https://")
    expect(name).to_have_value("Program of ours")
    expect(address).to_have_value("not an address")

    address.fill("https://bot.example.com/ask")
    expect(address).not_to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Create").click()
    expect(heading(page, "Providers")).to_be_visible()
    expect(row(page, "Program of ours (Webhook)")).to_contain_text("https://bot.example.com/ask")


def test_a_provider_is_changed_and_deleted(visit, server):
    made = server.api("POST", "/providers", {"name": "To be changed", "type": "openai"})
    page = visit(f"#/providers/{made['id']}")
    page.get_by_label("Name").fill("Changed provider")
    address = page.locator("input[inputmode=url]")
    address.fill("gopher://x")
    page.get_by_role("button", name="Save").click()
    expect_fault(address, "https://")
    address.fill("")
    page.get_by_role("button", name="Save").click()
    expect(row(page, "Changed provider")).to_contain_text("https://api.openai.com/v1")

    page.get_by_role("link", name=re.compile("Changed provider")).click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(heading(page, "Providers")).to_be_visible()
    expect(row(page, "Changed provider")).to_have_count(0)


def test_a_provider_in_use_is_not_deleted_and_the_page_says_why(visit, server):
    visit.allow(409)
    provider = server.named("/providers", "Simulated Typebot")
    page = visit(f"#/providers/{provider['id']}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".toast.bad")).to_contain_text(re.compile("connector", re.IGNORECASE))
    assert server.named("/providers", "Simulated Typebot")


# Connectors


def test_a_connector_names_what_is_wrong_with_its_options(visit, server):
    provider = server.api("POST", "/providers", {"name": "Models of ours", "type": "openai", "url": "http://127.0.0.1:9"})
    page = visit(f"#/connectors/new?provider={provider['id']}")
    page.get_by_label("Name", exact=True).or_(page.get_by_label("Name")).first.fill("A model")
    page.get_by_role("button", name="Save and go on").click()
    model = page.get_by_label("Model", exact=True)
    expect_fault(model, "needed")
    model.fill("small-model")
    history = page.get_by_label("Former messages")
    history.fill("100000")
    page.get_by_role("button", name="Save and go on").click()
    expect_fault(history, "from")
    expect(model).to_have_value("small-model")
    history.fill("4")
    page.get_by_text("Advanced", exact=True).click()
    other = page.get_by_label("Another address")
    other.fill("nonsense")
    page.get_by_role("button", name="Save and go on").click()
    expect_fault(other, "https://")
    other.fill("")
    page.get_by_role("button", name="Save and go on").click()
    expect(heading(page, "A model")).to_be_visible()
    made = server.named("/connectors", "A model")
    assert made["options"]["model"] == "small-model" and made["options"]["history"] == 4


def test_a_connectors_key_is_never_shown_and_stays_unless_it_is_replaced(visit, server):
    provider = server.api("POST", "/providers", {"name": "Keys", "type": "dify_chat", "url": "http://127.0.0.1:9/v1"})
    page = visit(f"#/connectors/new?provider={provider['id']}")
    name = page.locator("form").get_by_label("Name")
    name.fill("With a key")
    page.get_by_role("button", name="Save and go on").click()
    key = page.get_by_label("Key", exact=True)
    expect_fault(key, "needed")
    key.fill("app-0123456789abcd")
    page.get_by_role("button", name="Save and go on").click()
    expect(heading(page, "With a key")).to_be_visible()
    expect(page.get_by_text("••••abcd")).to_be_visible()
    assert "app-0123456789abcd" not in page.content()

    page.locator("form").get_by_label("Name").fill("With its key")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(heading(page, "With its key")).to_be_visible()
    expect(page.get_by_text("••••abcd")).to_be_visible()

    page.get_by_role("button", name="Replace: Key").click()
    expect(key).to_be_focused()
    key.fill("app-another-key-wxyz")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("••••wxyz")).to_be_visible()


def test_the_first_connector_adds_its_platform_on_the_way(visit):
    with BitBot(sandbox=False) as bitbot:
        bitbot.choose_password()
        page = visit("#/connectors/new", signed_in=False, server=bitbot)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("radio", name=re.compile("^Webhook")).check()
        address = page.get_by_label("Address of the platform")
        page.locator("form").get_by_label("Name").fill("Own program")
        page.get_by_role("button", name="Save and go on").click()
        expect_fault(address, "needed")
        address.fill("https://program.example.com/ask")
        page.get_by_role("button", name="Save and go on").click()
        expect(heading(page, "Own program")).to_be_visible()
        assert bitbot.named("/providers", "program.example.com")["type"] == "webhook"


# Bots


def test_a_bot_needs_a_name_and_can_be_talked_to_in_the_portal(visit, server):
    page = visit("#/bots/new")
    form = page.locator("form")
    form.get_by_label("Connector").select_option(label="Demonstration workflow")
    page.get_by_role("radio", name=re.compile("^Chat")).check()
    page.get_by_role("button", name="Create the bot").click()
    name = form.get_by_label("Name", exact=False).first
    expect_fault(name, "needed")
    name.fill("Counter of words")
    page.get_by_role("button", name="Create the bot").click()
    expect(heading(page, "Counter of words")).to_be_visible()
    expect(page.get_by_text("At work").first).to_be_visible()
    made = server.named("/bots", "Counter of words")
    assert made["type"] == "bot" and made["status"] == "active"

    page.locator("form").get_by_label("Name").first.fill("Counter of all words")
    page.get_by_role("button", name="Save").click()
    expect(heading(page, "Counter of all words")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(heading(page, "Bots")).to_be_visible()
    expect(row(page, "Counter of all words")).to_have_count(0)


def test_a_bots_behaviour_is_saved_and_a_wrong_value_is_said_at_its_field(visit, server):
    bot = server.named("/bots", "Tea house")
    page = visit(f"#/bots/{bot['id']}/settings")
    seconds = page.get_by_label("Wait for more messages, in seconds")
    seconds.fill("1000")
    page.get_by_label("Keep several messages apart").check()
    page.get_by_role("button", name="Save").click()
    expect_fault(seconds, "60")
    expect(seconds).to_have_value("1000")
    expect(page.get_by_label("Keep several messages apart")).to_be_checked()
    seconds.fill("0.5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    settings = server.api("GET", f"/bots/{bot['id']}")["settings"]
    assert settings["collect_ms"] == 500 and settings["separate"] is True
    page.get_by_label("Wait for more messages, in seconds").fill("")
    page.get_by_label("Keep several messages apart").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved", exact=True).last).to_be_visible()


def test_a_bots_command_is_added_changed_and_deleted(visit, server):
    bot = server.named("/bots", "Price list")
    page = visit(f"#/bots/{bot['id']}/commands")
    page.get_by_role("button", name="Add a command").first.click()
    dialog = page.get_by_role("dialog")
    command = dialog.get_by_label("Command", exact=False).first
    command.fill("no good!")
    dialog.get_by_label(re.compile("What it does")).first.fill("Shows the prices")
    dialog.get_by_role("button", name="Create").click()
    expect_fault(command, "letters")
    expect(dialog.get_by_label(re.compile("What it does")).first).to_have_value("Shows the prices")
    command.fill("/prices")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("/prices").first).to_be_visible()
    made = server.all(f"/bots/{bot['id']}/commands")
    assert [one["command"] for one in made] == ["prices"]


# Applications


def test_an_application_is_changed_and_a_wrong_address_is_said_at_its_field(visit, server):
    app = server.api("POST", "/apps", {"name": "Application to change", "bitbot": True})
    page = visit(f"#/apps/{app['id']}")
    expect(page.get_by_text(app["install_url"])).to_be_visible()
    address = page.get_by_label("Address of the page inside Bitrix24")
    address.fill("nonsense")
    page.get_by_label("Name", exact=True).fill("Application that was changed")
    page.get_by_role("button", name="Save").click()
    expect_fault(address, "https://")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Application that was changed")
    address.fill("/bitbot/")
    page.get_by_label("Application code (client_id)").fill("local.0123456789abcd.01234567")
    page.get_by_label("Application key (client_secret)").fill("the-key-of-the-application-7f3a")
    page.get_by_role("button", name="Save").click()
    expect(row(page, "Application that was changed")).to_contain_text("Ready")
    page.get_by_role("link", name="Application that was changed").click()
    expect(page.get_by_label("Application key (client_secret)")).to_have_attribute("placeholder", "••••7f3a")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(row(page, "Application that was changed")).to_have_count(0)


# Portals


def test_the_limit_of_a_portal_is_checked_and_saved(visit, server):
    portal = server.all("/portals")[-1]
    page = visit(f"#/portals/{portal['id']}")
    page.get_by_text("Limit and network").click()
    page.get_by_label("How many calls Bitrix24 takes").select_option(label="Other")
    burst = page.get_by_label("Calls at once")
    burst.fill("0")
    page.get_by_role("button", name="Save").click()
    expect(burst).to_have_attribute("aria-invalid", "true")
    expect(burst).to_be_focused()
    burst.fill("60")
    page.get_by_label("Calls a second after that").fill("3")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert server.api("GET", f"/portals/{portal['id']}")["limit"]["burst"] == 60


# Settings


def test_a_token_is_named_shown_once_and_revoked(visit, server):
    page = visit("#/settings")
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog")
    name = dialog.get_by_label(re.compile("^Name"))
    dialog.get_by_role("button", name="Make the token").click()
    expect_fault(name, "needed")
    name.fill("Nightly program")
    dialog.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("Copy the token now. It is not shown again.")).to_be_visible()
    token = page.get_by_role("dialog").locator("code").first.inner_text()
    assert ask("GET", f"{server.origin}/api/v1/session", None, {"Authorization": f"Bearer {token}"})["kind"] == "admin"
    page.get_by_role("button", name="I have it").click()
    entry = page.get_by_role("row").filter(has_text="Nightly program")
    expect(entry).to_contain_text("••••" + token[-4:])
    # The browser tells of a closed dialog a moment later, and then it goes.
    expect(page.locator("dialog")).to_have_count(0)
    assert token not in page.content()

    entry.get_by_role("button", name=re.compile("Revoke")).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(entry).to_have_count(0)
    with pytest.raises(Refused):
        ask("GET", f"{server.origin}/api/v1/portals", None, {"Authorization": f"Bearer {token}"})


def test_the_password_is_changed_by_whoever_knows_the_former_one(visit, browser):
    visit.allow(403)
    with BitBot(sandbox=False) as bitbot:
        bitbot.choose_password()
        page = visit("#/settings", signed_in=False, server=bitbot)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.keyboard.press("Enter")
        former, new = page.get_by_label("Present password"), page.get_by_label("New password")
        former.fill("not the password")
        new.fill("another long password")
        page.get_by_role("button", name="Change password").click()
        expect_fault(former, "wrong")
        expect(new).to_have_value("another long password")
        former.fill(PASSWORD)
        new.fill("short")
        page.get_by_role("button", name="Change password").click()
        expect_fault(new, "10 characters")
        new.fill("another long password")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_text("The password is changed")).to_be_visible()

        # Changes go on working with the new session.
        go(page, "#/providers/new")
        page.get_by_label("Name").fill("After the change")
        page.get_by_role("button", name="Create").click()
        expect(row(page, "After the change")).to_be_visible()

        go(page, "#/settings")
        page.get_by_role("button", name="Sign out everywhere").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Sign out everywhere").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.get_by_label("Password", exact=True).fill("another long password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()


def test_the_configuration_is_exported_and_imported_elsewhere(visit, server, tmp_path):
    page = visit("#/settings")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export", exact=True).click()
    file = tmp_path / "bitbot.json"
    download.value.save_as(file)
    assert "Demonstration chatflow" in file.read_text()
    wrong = tmp_path / "wrong.json"
    wrong.write_text("no JSON")

    with BitBot(sandbox=False) as bitbot:
        bitbot.choose_password()
        other = visit("#/settings", signed_in=False, server=bitbot)
        other.get_by_label("Password", exact=True).fill(PASSWORD)
        other.keyboard.press("Enter")
        chooser = other.locator("input[type=file]")
        chooser.set_input_files(wrong)
        expect(other.get_by_text("is no file that BitBot exported")).to_be_visible()
        chooser.set_input_files(file)
        other.get_by_role("button", name="Import now").click()
        expect(other.locator(".notice.good")).to_contain_text("The file is imported.")
        assert bitbot.named("/connectors", "Demonstration chatflow")["key"] is None
