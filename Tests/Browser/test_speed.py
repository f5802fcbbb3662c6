"""Small and quick: the first page, and a list of a hundred thousand dialogs. Times are printed, not judged."""

import sqlite3
import time

import pytest
from playwright.sync_api import expect

from running import PASSWORD, BitBot
from visiting import settled

MANY = 100_000
SMALL = 60_000


def test_the_first_page_is_small(visit, capsys):
    """Everything that somebody who is signed in waits for, as it goes over the network."""
    page = visit("about:blank")
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    began = time.monotonic()
    page.goto(f"{visit.server.origin}/admin/")
    settled(page)
    took = time.monotonic() - began
    page.wait_for_load_state("networkidle")
    sizes = {}
    for answer in answers:
        size = answer.request.sizes()
        sizes[answer.url] = size["responseBodySize"] + size["responseHeadersSize"]
    total = sum(sizes.values())
    say(capsys, f"first page: {total / 1000:.1f} KB in {len(sizes)} answers, there after {took:.2f} s")
    assert len(sizes) > 5
    assert total < SMALL, sorted(sizes.items(), key=lambda one: -one[1])


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A server with a hundred thousand dialogs, all of one bot."""
    folder = tmp_path_factory.mktemp("crowded")
    with BitBot(folder=folder):
        pass
    fill(folder / "data/bitbot.db")
    with BitBot(sandbox=False, folder=folder) as bitbot:
        bitbot.choose_password()
        yield bitbot


def fill(path):
    now = int(time.time() * 1000)
    with sqlite3.connect(path) as store:
        bot, portal = store.execute(
            "SELECT bots.id, portal_id FROM bots JOIN installations ON installations.id = installation_id LIMIT 1").fetchone()
        store.execute("DELETE FROM dialogs")
        store.executemany(
            """INSERT INTO dialogs (id, bot_id, portal_id, dialog_id, chat_id, title, created_at, last_message_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            ((n, bot, portal, f"chat{n}", str(n), f"Person {n}", now - n, now - (MANY - n) * 10) for n in range(1, MANY + 1)))
        store.executemany(
            "INSERT INTO messages (dialog_id, author, text, created_at) VALUES (?, 'customer', ?, ?)",
            ((n, f"The last words of {n}", now - (MANY - n) * 10) for n in range(1, MANY + 1)))


def test_a_hundred_thousand_dialogs_come_page_by_page(visit, crowded, browser, capsys):
    cookies = browser.new_context()
    cookies.request.post(f"{crowded.origin}/api/v1/session", data={"password": PASSWORD})
    page = visit("about:blank", server=crowded, signed_in=cookies.storage_state())
    cookies.close()
    began = time.monotonic()
    page.goto(f"{crowded.origin}/admin/#/dialogs")
    rows = page.get_by_role("table", name="Dialogs").locator("tbody tr")
    expect(rows.first).to_contain_text(f"Person {MANY}")
    first = time.monotonic() - began
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text(f"The last words of {MANY}")

    # What comes in meanwhile moves nothing: the next page begins where the former one ended.
    with sqlite3.connect(crowded.data / "bitbot.db", timeout=20) as store:
        store.execute("UPDATE dialogs SET last_message_at = last_message_at + 10000000 WHERE id = 1")
    began = time.monotonic()
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(100)
    more = time.monotonic() - began
    expect(rows.nth(50)).to_contain_text(f"Person {MANY - 50}")
    expect(rows.nth(50).get_by_role("link")).to_be_focused()
    expect(rows.nth(99)).to_contain_text(f"Person {MANY - 99}")

    began = time.monotonic()
    page.get_by_role("searchbox").fill("Person 4711")
    expect(rows.first).to_contain_text("Person 4711")
    found = time.monotonic() - began
    say(capsys, f"{MANY} dialogs: first page {first:.2f} s, more {more:.2f} s, search {found:.2f} s")


def test_the_whole_list_is_walked_without_gaps_or_repeats(crowded):
    seen, cursor = [], ""
    while cursor is not None:
        page = crowded.api("GET", f"/dialogs?limit=200{cursor and '&cursor=' + cursor}")
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == MANY


def say(capsys, text):
    with capsys.disabled():
        print(f"\n  {text}")
