"""Takes the pictures of the pages that README and guide show: `make screenshots`."""

import math
import sqlite3
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

from running import PASSWORD, ROOT, BitBot, eventually
from visiting import go, launch_options, settled

SIZE = {"width": 1440, "height": 900}
LIMIT = 150_000
DOCS = ROOT / "docs"


def main():
    with BitBot() as bitbot, sync_playwright() as playwright:
        bitbot.choose_password()
        browser = playwright.chromium.launch(**launch_options())
        ids = inhabit(bitbot)
        for scheme in ("light", "dark"):
            photograph(browser, bitbot, ids, scheme)
        browser.close()


def inhabit(bitbot):
    """Customers and colleagues who have spoken, a bot with commands, and an application that waits for its keys."""
    sandbox = bitbot.sandbox
    said = [
        ("chatflow", ["Hello! Where is my order 4711?", "When will it come?"]),
        ("typebot", ["Good morning!"]),
        ("files", ["What are your prices?"]),
        ("workflow", ["Count the words of this sentence, please"]),
        ("chatflow", ["Do you ship to Norway?", "And how long does it take?"]),
    ]
    for bot, lines in said:
        sandbox.choose("customer", bot)
        for line in lines:
            before = len(sandbox.state()["messages"]["customer"])
            sandbox.write("customer", line)
            eventually(lambda: len(sandbox.state()["messages"]["customer"]) > before + 1, "an answer")
    fill_an_hour(bitbot)
    for connector in bitbot.all("/connectors"):
        bitbot.api("PATCH", f"/connectors/{connector['id']}", {"shared": True})
    support = bitbot.named("/bots", "Sandbox support")
    for command, title in (("order", "Where an order is"), ("help", "What the bot can do")):
        bitbot.api("POST", f"/bots/{support['id']}/commands", {
            "command": command, "translations": [{"language": "en", "title": title, "params": None}]})
    app = bitbot.api("POST", "/apps", {"name": "Our portal", "bitbot": True})
    dialog = eventually(
        lambda: next((one for one in bitbot.all(f"/dialogs?bot_id={support['id']}")), None), "a dialog")
    return {
        "app": app["id"], "bot": support["id"], "dialog": dialog["id"], "portal": bitbot.all("/portals")[-1]["id"],
        "connector": bitbot.named("/connectors", "Demonstration chatflow")["id"],
    }


def fill_an_hour(bitbot):
    """More messages than a few moments of the sandbox have, so that the charts show something; the times are those that its
    answers took."""
    with sqlite3.connect(bitbot.data / "bitbot.db", timeout=20) as store:
        rows = eventually(lambda: store.execute("SELECT minute, times FROM statistics").fetchall(), "the first minute", 90)
        took = [pair.split(":")[0] for _, times in rows for pair in times.split()]
        for ago in range(1, 60):
            count = round(9 + 5 * math.sin(ago / 8) + ago * 7 % 5)
            times = " ".join(f"{bucket}:1" for bucket in sorted({took[(ago * step) % len(took)] for step in (1, 2, 3)}, key=int))
            store.execute(
                "INSERT OR IGNORE INTO statistics (minute, answers, failures, times) VALUES (?, ?, ?, ?)",
                (rows[0][0] - ago, count, int(ago in (17, 41)), times))


def photograph(browser, bitbot, ids, scheme):
    context = browser.new_context(viewport=SIZE, color_scheme=scheme, locale="en-GB")
    page = context.new_page()
    page.goto(f"{bitbot.origin}/admin/")
    page.get_by_label("Password", exact=True).wait_for()
    keep(page, "sign-in", scheme)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").wait_for()

    def show(name, route, act=None):
        if route:
            go(page, route)
        if act:
            act()
            settled(page)
        page.evaluate("document.activeElement.blur()")
        keep(page, name, scheme)

    def test():
        page.get_by_role("button", name="Test", exact=True).click()
        page.locator(".bubble").first.wait_for()

    def talk():
        page.get_by_role("textbox", name="Write a message").fill("Where is my order 4711?")
        page.keyboard.press("Enter")
        page.get_by_text("Answered in").first.wait_for()

    def live():
        bitbot.sandbox.choose("customer", "chatflow")
        bitbot.sandbox.write("customer", "Can I still change my order?")
        page.locator("ol.live li").nth(2).wait_for()

    show("portals", "#/portals")
    show("admin", "#/")
    show("portal", f"#/portals/{ids['portal']}", lambda: page.get_by_role("button", name="Check now").click())
    show("add-portal", "#/portals/new")
    show("add-portal-webhook", "#/portals/new/webhook")
    show("add-portal-application", f"#/portals/new/app/{ids['app']}")
    show("applications", "#/apps")
    show("providers", "#/providers")
    show("connectors", "#/connectors")
    show("connector-new", "#/connectors/new")
    show("connector", f"#/connectors/{ids['connector']}", test)
    show("bots", "#/bots")
    show("bot", f"#/bots/{ids['bot']}")
    show("bot-behaviour", f"#/bots/{ids['bot']}/settings")
    show("bot-commands", f"#/bots/{ids['bot']}/commands")
    show("bot-channels", f"#/bots/{ids['bot']}/channels")
    show("playground", f"#/playground?connector={ids['connector']}", talk)
    show("dialogs", "#/dialogs")
    show("transcript", f"#/dialogs/{ids['dialog']}")
    show("exchange", None, lambda: page.get_by_role("button", name="What the bot platform was asked").last.click())
    show("live", "#/live", live)
    show("failed-work", "#/work")
    show("changes", "#/changes")
    show("settings", "#/settings")

    for language in ("en", "ru"):
        page.goto(f"{bitbot.sandbox.application}?lang={language}")
        frame = next(one for one in page.frames if one is not page.main_frame)
        frame.locator("h1").wait_for()
        settled(frame)
        keep(page, "application" if language == "en" else "application-ru", scheme)
    context.close()


def keep(page, name, scheme):
    """As a PNG with a palette: sharp, and small enough for a repository."""
    file = DOCS / f"{name}{'-dark' if scheme == 'dark' else ''}.png"
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file, animations="disabled", caret="hide")
    for colors in (256, 128, 64):
        if colors == 256 or file.stat().st_size > LIMIT:
            Image.open(file).convert("RGB").quantize(colors, dither=Image.Dither.NONE).save(file, optimize=True)
    if file.stat().st_size > LIMIT:
        sys.exit(f"{file} is larger than {LIMIT} bytes")


if __name__ == "__main__":
    main()
