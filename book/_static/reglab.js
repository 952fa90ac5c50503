/* What the theme leaves open for the first visit, for keyboards and for screen readers. */
"use strict";

(() => {
  // Without a stored choice the theme's own script reports an empty mode as an error, and the page
  // has no colours until that script has run. This one runs before the page is drawn.
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  root.dataset.mode ||= "auto";
  root.dataset.theme ||= dark.matches ? "dark" : "light";

  // The search reads each page it found for a summary, which browsers refuse to pages on disk.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  // The theme lets the Tab key reach these boxes while they scroll; they get a name as well.
  const BOXES = [
    [".pst-scrollable-table-container, .cell_output > .text_html:has(> table, > div > table)", "table"],
    ["pre", "code"],
  ];

  function nameBoxes(article) {
    for (const [selector, what] of BOXES) {
      for (const box of article.querySelectorAll(selector)) {
        const caption = box.querySelector("caption")?.textContent.trim();
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", caption ? `${what}: ${caption}` : what);
      }
    }
  }

  // Sphinx writes these as lists without what HTML wants of a list.
  function nameLists(article) {
    for (const entry of article.querySelectorAll('.citation-list > [role="doc-biblioentry"]')) {
      entry.setAttribute("role", "listitem");
    }
    for (const parameters of article.querySelectorAll("dt.sig > dl")) {
      parameters.setAttribute("role", "list");
      for (const parameter of parameters.children) parameter.setAttribute("role", "listitem");
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const article = document.querySelector(".bd-article");
    if (article) {
      nameBoxes(article);
      nameLists(article);
    }
    const sidebar = document.querySelector("#pst-primary-sidebar");
    sidebar?.setAttribute("role", "region");
    sidebar?.setAttribute("aria-label", "Book");
  });
})();
