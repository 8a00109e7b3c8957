"""What a first visit costs on the wire."""

from __future__ import annotations

from chatbot.browsing import answers, say
from playwright.sync_api import expect

FIRST_LOAD = 150 * 1024


def test_a_first_visit_is_small_on_the_wire(browser, chatbot):
    page = browser.new_context().new_page()
    network = page.context.new_cdp_session(page)
    sizes, headers = [], []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    network.send("Network.enable")
    page.on("response", lambda response: headers.append(response.headers))
    page.goto(chatbot.page, wait_until="networkidle")
    expect(page).to_have_title("Ask Ada")
    page.context.close()
    assert len(sizes) == len(headers)
    assert 0 < sum(sizes) <= FIRST_LOAD
    scripts = [each for each in headers if "javascript" in each["content-type"]]
    assert scripts
    large = [each for each in scripts if int(each.get("content-length", 1000)) >= 500]
    assert {each.get("content-encoding") for each in large} == {"gzip"}


def test_every_module_is_asked_for_at_once_not_one_after_the_other(browser, chatbot):
    page = browser.new_context().new_page()
    page.goto(chatbot.page, wait_until="networkidle")
    expect(page).to_have_title("Ask Ada")
    named, loaded = page.evaluate(
        """() => [
          [...document.querySelectorAll("link[rel=modulepreload], script[src]")]
            .map(({ href, src }) => href ?? src).sort(),
          performance.getEntriesByType("resource").map(({ name }) => name)
            .filter((name) => name.endsWith(".js")).sort(),
        ]"""
    )
    page.context.close()
    assert named == loaded


def test_an_answer_is_not_held_back_by_compression(visit, upstream):
    page = visit()
    with page.expect_response("**/api/chat") as streamed:
        say(page, "Hi")
    expect(answers(page)).to_have_text(["Hello."])
    assert "content-encoding" not in streamed.value.headers
