"""Visits to the pages, as people with a browser make them, and what every page must keep to."""

import re
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

BITRIX24_SCRIPT = "https://api.bitrix24.com"
AXE = Axe()


def launch_options():
    return {
        "executable_path": "/usr/bin/chromium",
        "args": ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"],
    }


class Visits:
    """Opens pages and notes what goes wrong in them: console errors, blocked scripts, requests to other origins."""

    def __init__(self, browser, server, signed_in):
        self.browser = browser
        self.server = server
        self.signed_in = signed_in
        self.problems = []
        self._contexts = []
        self._pages = []
        self._origins = {server.origin}
        self._statuses = set()
        self._is_blocked = False

    def __call__(self, route="#/", signed_in=True, server=None, **options):
        """A page of the admin panel in a context of its own."""
        if server:
            self._origins.add(server.origin)
        state = self.signed_in if signed_in is True else signed_in or None
        context = self.browser.new_context(**{"locale": "en-US", "storage_state": state, **options})
        self._contexts.append(context)
        page = context.new_page()
        self._watch(page)
        page.goto(route if route.startswith("about:") else f"{(server or self.server).origin}/admin/{route}")
        return page

    def open(self, address, script=None):
        """A page at an address, in the browser's own context; `script` runs in it before its own."""
        page = self.browser.new_page()
        if script:
            page.add_init_script(script)
        self._pages.append(page)
        self._watch(page)
        page.goto(address)
        return page

    def allow(self, *statuses):
        """Answers of the API that this test provokes: the browser reports them as errors."""
        self._statuses.update(statuses)

    def allow_origin(self, origin):
        self._origins.add(origin)

    def expect_blocked_script(self):
        """This test blocks Bitrix24's script: the browser says so."""
        self._is_blocked = True

    def end(self):
        for page in self._pages:
            page.close()
        for context in self._contexts:
            context.close()
        self.check()

    def check(self):
        """Nothing went wrong until now."""
        problems, self.problems = self.problems, []
        assert not problems, "\n".join(problems)

    def _watch(self, page):
        page.set_default_timeout(20_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("request", self._see)

    def _hear(self, message):
        if message.type not in ("error", "warning", "assert"):
            return
        provoked = re.search(r"responded with a status of (\d+)", message.text)
        if provoked and int(provoked.group(1)) in self._statuses:
            return
        if self._is_blocked and message.location.get("url", "").startswith(BITRIX24_SCRIPT):
            return
        self.problems.append(f"console: {message.text} ({message.location.get('url')})")

    def _see(self, request):
        address = urlsplit(request.url)
        if address.scheme in ("data", "blob", "about"):
            return
        if f"{address.scheme}://{address.netloc}" not in self._origins:
            self.problems.append(f"a request to another origin: {request.url}")


def findings(page, only=None):
    """What axe finds on a page or in a frame."""
    options = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = only
    result = AXE.run(page, options=options).response
    return [
        f"{found['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for found in result["violations"] for node in found["nodes"]
    ]


def too_wide(page):
    """What reaches over the right edge of the page."""
    return page.evaluate(
        """() => {
          if (document.documentElement.scrollWidth <= innerWidth) return [];
          return [...document.querySelectorAll("body *")]
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => `${one.tagName}.${one.className} ${one.textContent.slice(0, 60)}`).slice(0, 8);
        }""")


def go(page, route):
    """Leads an open page of the panel to another route, and waits until that is drawn."""
    page.evaluate("document.querySelector('h1')?.toggleAttribute('data-former', true)")
    page.goto(page.url.split("#")[0] + route)
    page.locator("h1:not([data-former])").wait_for()
    settled(page)


def settled(page):
    """Waits until a page of the shell, or one that stands alone, is drawn and has loaded what it shows."""
    page.locator("h1").first.wait_for()
    expect(page.locator("[aria-busy=true], .waiting")).to_have_count(0)


def expect_fault(control, words):
    """What is wrong with a field is said at it, to readers of the screen too, and the focus is there."""
    expect(control).to_have_attribute("aria-invalid", "true")
    expect(control).to_have_accessible_description(re.compile(words, re.IGNORECASE))
    expect(control).to_be_focused()
