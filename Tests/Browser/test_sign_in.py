"""Getting in and out."""

import pytest
from playwright.sync_api import expect

from running import PASSWORD, BitBot
from visiting import expect_fault


@pytest.fixture
def new_server():
    with BitBot(sandbox=False) as bitbot:
        yield bitbot


def test_the_first_link_leads_to_a_password_and_in(visit, new_server):
    visit.allow(422, 403)
    page = visit("#code=" + new_server.one_time_link.split("#code=")[1], signed_in=False, server=new_server)
    expect(page.get_by_role("heading", name="Welcome to BitBot")).to_be_visible()
    password = page.get_by_label("Password", exact=True)
    expect(password).to_be_focused()
    password.fill("short")
    page.get_by_role("button", name="Save and sign in").click()
    expect_fault(password, "at least 10 characters")
    expect(password).to_have_value("short")

    password.fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    assert page.url.endswith("/admin/#/")
    cookie = next(one for one in page.context.cookies() if one["name"] == "bitbot_session")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"

    page.reload()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()

    # The link has worked once.
    other = visit("#code=" + new_server.one_time_link.split("#code=")[1], signed_in=False, server=new_server)
    other.get_by_label("Password", exact=True).fill("another long password")
    other.get_by_role("button", name="Save and sign in").click()
    expect(other.get_by_role("alert")).to_contain_text("used")
    expect(other.get_by_label("Password", exact=True)).to_have_value("another long password")


def test_before_a_password_was_chosen_the_page_says_where_the_link_is(visit, new_server):
    page = visit("#/", signed_in=False, server=new_server)
    expect(page.get_by_role("heading", name="Welcome to BitBot")).to_be_visible()
    expect(page.get_by_text("bitbot admin reset")).to_be_visible()


def test_a_wrong_password_is_said_at_its_field_and_the_right_one_lets_in(visit):
    visit.allow(403)
    page = visit("#/providers", signed_in=False)
    password = page.get_by_label("Password", exact=True)
    expect(password).to_be_focused()
    page.get_by_role("button", name="Sign in").click()
    expect_fault(password, "This is needed")
    password.fill("not the password")
    page.keyboard.press("Enter")
    expect_fault(password, "This is not the password")
    password.fill(PASSWORD)
    page.keyboard.press("Enter")
    # Where one wanted to go.
    expect(page.get_by_role("heading", name="Providers", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="Providers", level=1)).to_be_focused()


def test_signing_out_ends_the_session_also_for_its_cookie(visit, server):
    visit.allow(401)
    page = visit("#/", signed_in=False)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    page.get_by_role("link", name="Providers").click()
    expect(page.get_by_role("heading", name="Providers", level=1)).to_be_visible()
    kept = page.context.storage_state()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    stolen = visit("#/portals", signed_in=kept)
    expect(stolen.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_forgotten_password_is_replaced_by_a_new_link(visit, new_server):
    visit.allow(403)
    new_server.choose_password()
    page = visit("#code=" + new_server.new_link().split("#code=")[1], signed_in=False, server=new_server)
    expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    page.get_by_label("Password", exact=True).fill("quite another password")
    page.get_by_role("button", name="Save and sign in").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect_fault(page.get_by_label("Password", exact=True), "This is not the password")


def test_whoever_guesses_passwords_is_slowed_down_and_told_for_how_long(visit, new_server):
    visit.allow(403, 429)
    new_server.choose_password()
    page = visit("#/", signed_in=False, server=new_server)
    password = page.get_by_label("Password", exact=True)
    button = page.get_by_role("button", name="Sign in")
    for _ in range(12):
        password.fill("a guess of the password")
        with page.expect_response("**/api/v1/session") as answer:
            button.click()
        if answer.value.status == 429:
            break
    expect(page.get_by_text("Too many wrong passwords")).to_be_visible()
    expect(button).to_be_disabled()
    expect(button).to_be_enabled(timeout=70_000)
