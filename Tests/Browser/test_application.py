"""The application inside Bitrix24: in a frame of another site, in a browser that blocks third-party cookies."""

import re
import urllib.request
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from visiting import BITRIX24_SCRIPT, expect_fault, findings, too_wide


@pytest.fixture
def opened(portal, server):
    """Opens the application as the portal's administrator, or as another user; gives the page and its frame."""
    portal.allow_origin(origin_of(server.sandbox.application))

    def open_as(user=1, language="en", script=None):
        page = portal.open(f"{server.sandbox.application}?user={user}&lang={language}", script)
        return page, page.frame_locator("iframe")

    return open_as


def origin_of(address):
    return "/".join(address.split("/")[:3])


def inner(page):
    return next(one for one in page.frames if one is not page.main_frame)


def test_the_browser_really_blocks_third_party_cookies(opened):
    page, frame = opened()
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    kept = inner(page).evaluate("document.cookie = 'probe=1; SameSite=None; Secure'; document.cookie")
    assert kept == ""


def test_an_administrator_makes_a_connector_and_a_bot_without_any_cookie(portal, opened, server):
    portal.allow(422)
    page, frame = opened()
    with_cookie = []
    page.on("request", lambda request: with_cookie.append(request.url) if "cookie" in request.all_headers() else None)
    expect(frame.get_by_role("heading", name="Overview", level=1)).to_be_visible()

    frame.get_by_role("link", name="Connectors").click()
    frame.get_by_role("link", name="Add a connector").first.click()
    frame.get_by_role("radio", name=re.compile("^Simulated Dify Dify Chatflow")).check()
    frame.get_by_role("button", name="Save and go on").click()
    key = frame.get_by_label("Key", exact=True)
    expect_fault(key, "needed")
    key.fill("app-of-the-portal")
    frame.locator("form").get_by_label("Name").fill("The portal’s own")
    frame.get_by_role("button", name="Save and go on").click()
    expect(frame.get_by_role("heading", name="The portal’s own", level=1)).to_be_visible()
    made = server.named("/connectors", "The portal’s own")
    assert made["portal_id"] is not None

    frame.get_by_role("link", name="Bots").click()
    frame.get_by_role("link", name="Add a bot").first.click()
    frame.locator("form").get_by_label("Connector").select_option(label="The portal’s own")
    frame.locator("form").get_by_label("Name").first.fill("Bot of the portal")
    frame.get_by_role("button", name="Create the bot").click()
    expect(frame.get_by_role("heading", name="Bot of the portal", level=1)).to_be_visible()
    assert server.named("/bots", "Bot of the portal")["connector_id"] == made["id"]

    assert with_cookie == []
    assert [one for one in page.context.cookies() if one["name"] == "bitbot_session"] == []


def test_an_employee_sees_the_bots_and_nothing_to_change(opened):
    page, frame = opened(user=2)
    expect(frame.get_by_text("Sandbox support")).to_be_visible()
    assert frame.get_by_role("navigation").get_by_role("link").count() == 1
    for name in ("Connectors", "Add a bot", "Delete"):
        expect(frame.get_by_role("link", name=name)).to_have_count(0)
    # Neither by the address.
    inner(page).evaluate("location.hash = '#/connectors'")
    expect(frame.get_by_role("heading", name="Not here")).to_be_visible()


def test_it_speaks_the_language_that_bitrix24_names(opened):
    page, frame = opened(language="ru")
    expect(frame.get_by_role("heading", name="Обзор", level=1)).to_be_visible()
    assert inner(page).evaluate("document.documentElement.lang") == "ru"


@pytest.mark.parametrize("user", [1, 2])
def test_axe_finds_nothing_in_the_application_and_it_fits_a_phone(opened, user):
    page, frame = opened(user=user)
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    expect(frame.locator(".waiting, [aria-busy=true]")).to_have_count(0)
    assert findings(inner(page)) == []
    page.emulate_media(color_scheme="dark")
    assert findings(inner(page), ["color-contrast"]) == []
    # The portal leaves a margin of 20 pixels.
    page.set_viewport_size({"width": 400, "height": 740})
    assert too_wide(inner(page)) == []


def test_only_its_portal_may_show_it_in_a_frame(opened, server):
    page, frame = opened()
    with page.expect_response("**/app-settings/**") as answer:
        page.reload()
    policy = answer.value.headers["content-security-policy"]
    assert f"frame-ancestors {origin_of(server.sandbox.application)}" in policy


@pytest.fixture
def installing(server):
    """A script that has the portal post to the installation's address, once, as it does for an unfinished application."""
    installer = server.named("/apps", "BitBot Sandbox")["install_url"]
    return f"""
      if (top === window && !sessionStorage.isInstalling) {{
        sessionStorage.isInstalling = "yes";
        const submit = HTMLFormElement.prototype.submit;
        HTMLFormElement.prototype.submit = function () {{
          this.action = {installer!r} + new URL(this.action).search;
          submit.call(this);
        }};
      }}"""


def test_the_installer_tells_bitrix24_that_it_is_done_and_leads_into_the_application(opened, portal, server, installing):
    library = origin_of(server.sandbox.application) + "/bitrix24.js"
    portal.allow_origin(BITRIX24_SCRIPT)
    asked, finished = [], []

    def stand_in(route):
        asked.append(route.request.url)
        route.fulfill(response=route.fetch(url=library))

    def note(request):
        if request.url.endswith("/finish"):
            finished.append(request.url)

    with routed(portal.browser, f"{BITRIX24_SCRIPT}/**", stand_in):
        portal.browser.on("request", note)
        page, frame = opened(script=installing)
        expect(frame.get_by_role("heading", name="Overview", level=1)).to_be_visible()
        portal.browser.remove_listener("request", note)
    assert asked == [f"{BITRIX24_SCRIPT}/api/v1/"]
    assert len(finished) == 1


def test_the_installer_is_readable_and_says_what_to_do_where_bitrix24s_script_is_blocked(opened, portal, installing):
    portal.allow_origin(BITRIX24_SCRIPT)
    portal.expect_blocked_script()
    with routed(portal.browser, f"{BITRIX24_SCRIPT}/**", lambda route: route.abort()):
        page, frame = opened(script=installing)
        expect(frame.get_by_role("heading", name="One last step did not work")).to_be_visible()
        assert findings(inner(page)) == []


NOTICES = ["elsewhere", "connected", "waiting_for_keys", "not_confirmed", "busy", "unreachable"]


@pytest.mark.parametrize("notice", NOTICES)
def test_a_notice_says_one_thing_and_axe_finds_nothing(portal, server, notice):
    def instead(route):
        page = route.fetch()
        route.fulfill(response=page, body=page.text().replace('"notice":"elsewhere"', f'"notice":"{notice}"'))

    with routed(portal.browser, "**/bitbot/", instead):
        page = portal.open(f"{server.origin}/bitbot/")
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"\w{3,}"))
        assert findings(page) == []
        page.emulate_media(color_scheme="dark")
        assert findings(page, ["color-contrast"]) == []


def test_a_forged_post_is_not_let_in(portal, server):
    portal.allow(403)
    address = server.sandbox.application
    endpoint = re.search('name="SERVER_ENDPOINT" value="([^"]+)"', fetched(address)).group(1)
    page = portal.open(f"{server.origin}/bitbot/")
    page.evaluate(
        """(endpoint) => {
          const form = document.createElement("form");
          form.method = "post";
          form.action = "/bitbot/?DOMAIN=example.bitrix24.com&LANG=en&APP_SID=x";
          const fields = { AUTH_ID: "forged", REFRESH_ID: "forged", member_id: "forged", SERVER_ENDPOINT: endpoint };
          for (const [name, value] of Object.entries(fields)) {
            form.append(Object.assign(document.createElement("input"), { name, value, type: "hidden" }));
          }
          document.body.append(form);
          form.submit();
        }""", endpoint)
    expect(page.get_by_role("heading", name="Bitrix24 did not confirm this")).to_be_visible()


def fetched(address):
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read().decode()


@contextmanager
def routed(context, pattern, handler, **options):
    context.route(pattern, handler, **options)
    try:
        yield
    finally:
        context.unroute_all()
