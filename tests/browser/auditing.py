"""axe-core's audit of an open page, in a third of the time: what is alike is looked at once.

On the book's longest pages axe-core takes ten seconds and more, nearly all of them for contrasts:
of each word against all that may lie below it. What has the same tags, classes and styles, up to
the root of the page, has the same colours, so the first of each kind stands for it.
"""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")

# Of the coloured words in code and signatures only the first of each kind stays an element. A word
# with anything beside its class stays as well.
FEWER_WORDS = """() => {
    const seen = new Set(), inside = "pre, dt.sig";
    for (const word of document.querySelectorAll("pre span[class], dt.sig :is(span, em)[class]")) {
        if (word.attributes.length > 1) continue;
        const kind = [word.closest(".highlight")?.parentElement.className];
        for (let it = word; !it.matches(inside); it = it.parentElement) kind.push(it.className);
        if (seen.has(kind.join("/"))) word.replaceWith(...word.childNodes);
        seen.add(kind.join("/"));
    }
    for (const code of document.querySelectorAll(inside)) code.normalize();
}"""

# Contrasts are looked at where data-first is: at the first of each kind. An id is part of the kind
# if a style may be of it, and so is where in its table a row is, as every second one is shaded.
MARK_KINDS = """() => {
    const styles = [...document.querySelectorAll("style")].map(it => it.textContent).join();
    const kinds = new Map(), seen = new Set();
    for (const it of document.querySelectorAll("*")) {
        const kind = [kinds.get(it.parentElement), it.tagName, it.getAttribute("class"),
            it.getAttribute("style"), it.tagName === "TR" && it.rowIndex % 2,
            it.id && styles.includes("#" + it.id) && it.id].join("|");
        kinds.set(it, kind);
        it.toggleAttribute("data-first", !seen.has(kind));
        seen.add(kind);
    }
}"""

# A formula is a hundred elements. Of each sort, inline or displayed, in a text or a cell, three are
# there during the audit, and the others afterwards again.
RUN = """async () => {
    const counts = {}, away = [];
    for (const formula of document.querySelectorAll("mjx-container")) {
        const around = formula.closest("p, td, th, li, dt, dd, figcaption, h1, h2, h3, body");
        const sort = [formula.getAttribute("display"), around.tagName].join();
        counts[sort] = (counts[sort] ?? 0) + 1;
        if (counts[sort] > 3) away.push([formula, new Text("x")]);
    }
    for (const [formula, letter] of away) formula.replaceWith(letter);
    axe.configure({rules: [{id: "color-contrast", selector: "[data-first]"}]});
    // Without `preload` it does not read style sheets by XMLHttpRequest, which fails on disk.
    const found = await axe.run(document, {preload: false, resultTypes: ["violations"]});
    for (const [formula, letter] of away) letter.replaceWith(formula);
    return found.violations;
}"""


def audit(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical: rule, impact, place, reason.

    Code is then mostly without its colours (`FEWER_WORDS`).
    """
    page.evaluate(FEWER_WORDS)
    page.evaluate(MARK_KINDS)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))}: "
        + " ".join(node["failureSummary"].split())
        for rule in page.evaluate(RUN)
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]
