"""For whom the pages are: readers of Russian, people without a mouse, people who like it dark."""

import re

from playwright.sync_api import expect

from running import PASSWORD
from visiting import go, settled

CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
ROUTES = [
    "#/portals", "#/", "#/portals/new", "#/portals/new/webhook", "#/apps", "#/providers", "#/connectors", "#/connectors/new",
    "#/bots", "#/bots/new", "#/playground", "#/dialogs", "#/live", "#/work", "#/changes", "#/settings",
]
#: Names of things, which are the same in every language.
NAMES = re.compile(
    r"BitBot|Bitrix24|Dify|Typebot|OpenAI|Webhook|Sandbox|Chatflow|Redis|JSON|API|HTTP|https?:|Demonstration|Simulated|"
    r"Tea house|Price list|Word counter|client_id|client_secret|EN|RU|Swagger")


def test_a_russian_browser_gets_every_page_in_russian(visit):
    page = visit("#/", locale="ru-RU")
    for route in ROUTES:
        go(page, route)
        assert page.evaluate("document.documentElement.lang") == "ru"
        assert CYRILLIC.search(page.title()), page.title()
        untranslated = [
            text for text in page.locator("h1, h2, h3, label, legend, th, button:visible, .lead, .nav a").all_inner_texts()
            if text.strip() and re.search("[a-z]{3}", text) and not CYRILLIC.search(text) and not NAMES.search(text)
        ]
        assert untranslated == [], route


def test_a_russian_reader_is_told_in_russian_what_is_wrong(visit):
    visit.allow(422)
    page = visit("#/portals/new/webhook", locale="ru-RU")
    address = page.locator("form input").first
    address.fill("https://example.bitrix24.ru/")
    page.locator("form [type=submit]").click()
    expect(address).to_have_attribute("aria-invalid", "true")
    expect(address).to_have_accessible_description(CYRILLIC)
    assert CYRILLIC.search(page.locator("form .error:not(:empty)").inner_text())


def test_the_language_is_changed_by_hand_and_kept(visit):
    page = visit("#/providers")
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("heading", name="Провайдеры", level=1)).to_be_visible()
    expect(page.get_by_role("button", name="Русский")).to_be_focused()
    page.reload()
    expect(page.get_by_role("heading", name="Провайдеры", level=1)).to_be_visible()


def test_the_dark_scheme_is_dark(visit):
    page = visit("#/providers", color_scheme="dark")
    settled(page)
    brightness = page.evaluate(
        """() => getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3)
          .reduce((sum, one) => sum + Number(one), 0)""")
    assert brightness < 3 * 60


def test_without_a_mouse_one_signs_in_adds_a_connector_and_talks_to_it(visit, server):
    page = visit("#/", signed_in=False)
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_focused()

    # The first stop is the way past the navigation.
    page.reload()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    tab_to(page, "Connectors")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connectors", level=1)).to_be_focused()
    tab_to(page, "Add a connector")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New connector", level=1)).to_be_focused()

    # A choice of cards is one stop; the arrows choose.
    tab_to(page, within="input[type=radio]")
    provider = server.named("/providers", "Simulated Dify")
    page.keyboard.press("Space")
    for _ in range(20):
        if page.evaluate("document.activeElement.value") == provider["id"]:
            break
        page.keyboard.press("ArrowDown")
    else:
        raise AssertionError("the arrows do not lead to the provider")
    tab_to(page, within="input[type=password]")
    page.keyboard.type("app-typed-by-hand")
    tab_to(page, within="input[type=text]")
    page.keyboard.type("Typed by hand")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Typed by hand", level=1)).to_be_focused()

    # Its key is unknown to the platform; the one of the sandbox is known.
    known = server.named("/connectors", "Demonstration chatflow")
    go(page, f"#/playground?connector={known['id']}")
    expect(page.get_by_role("heading", name="Playground", level=1)).to_be_visible()
    tab_to(page, within="textarea")
    page.keyboard.type("Typed without a mouse")
    page.keyboard.press("Enter")
    expect(page.get_by_text("turn 1").first).to_be_visible()


def tab_to(page, name=None, within=None):
    """Goes on with the Tab key until the focus is there; wherever it comes by, it is seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => {
              const one = document.activeElement;
              const shown = [one, one.closest(".door"), one.nextElementSibling].filter(Boolean).some((it) => {
                const style = getComputedStyle(it);
                return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
              });
              return { text: one.textContent.trim(), tag: one.outerHTML.slice(0, 120), shown, isBody: one === document.body };
            }""")
        if here["isBody"]:
            continue
        assert here["shown"], f"the focus is not seen at {here['tag']}"
        matches = page.evaluate("(selector) => document.activeElement.matches(selector)", within or "*")
        if matches and (name is None or here["text"] == name):
            return
    raise AssertionError(f"Tab does not lead to {name or within}")
