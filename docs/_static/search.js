/* What the search of Sphinx lacks for questions: pages that have most of the words, the page that is about them before
   the page that mentions them, and a sentence under each result. `aboutPages` is made with the pages. */
"use strict";
(() => {
  if (typeof Search === "undefined" || !window.aboutPages) return;
  const HEADING = 5, TITLE = 8, ALL = 15, LATER = 6, LAST = 12;
  const stemmer = new Stemmer();
  const stems = (text) => new Set(splitQuery(text.toLowerCase()).map((word) => stemmer.stemWord(word)));
  const pages = new Map(
    Object.entries(aboutPages).map(([name, page]) => [
      name,
      { says: page.says, title: stems(page.title), headings: stems(page.headings) },
    ]),
  );
  let asked = new Set();

  const fewerBy = (count, words) =>
    count === 0
      ? [words]
      : words.flatMap((_, place) => fewerBy(count - 1, words.filter((word, other) => other !== place)));

  const inText = Search.performTermsSearch;
  const withAllOf = (words, excluded) => {
    const found = inText(words, excluded);
    const { docnames, titles, filenames } = Search._index;
    docnames.forEach((name, place) => {
      const page = pages.get(name);
      if (page && words.size && [...words].every((word) => page.title.has(word) || page.headings.has(word)))
        found.push([name, titles[place], "", null, Scorer.term, filenames[place], "text"]);
    });
    return found;
  };
  Search.performTermsSearch = (words, excluded) => {
    asked = words;
    for (let left = 0; left < Math.min(words.size, 3); left++) {
      const found = new Map();
      for (const some of fewerBy(left, [...words]))
        for (const result of withAllOf(new Set(some), excluded)) found.set(result[0], result);
      if (found.size) return [...found.values()];
    }
    return [];
  };

  Scorer.score = ([name, title, anchor, description, score, file, kind]) => {
    const page = pages.get(name);
    const worths = page ? [...asked].map((word) => (page.title.has(word) ? TITLE : page.headings.has(word) ? HEADING : 0)) : [];
    for (const worth of worths) score += worth;
    if (worths.length > 1 && worths.every((worth) => worth)) score += ALL;
    if (/^(changelog|contributing|security|genindex)$/.test(name)) return score - LAST;
    const isName = /[A-Z_.(]/.test(new URLSearchParams(location.search).get("q") || "");
    return kind === "object" ? score + (isName ? LATER : -LAST) : name.startsWith("api/") ? score - LATER : score;
  };

  const explain = (item) => {
    const link = item.querySelector("a");
    const page = link && pages.get(link.getAttribute("href").replace(/\.html.*$/, ""));
    if (!page || !page.says || item.querySelector(".context") || item.classList.contains("kind-object")) return;
    const says = document.createElement("p");
    says.className = "context";
    says.textContent = page.says;
    item.append(says);
  };
  document.addEventListener("DOMContentLoaded", () =>
    new MutationObserver(() => document.querySelectorAll("#search-results li").forEach(explain)).observe(
      document.getElementById("search-results"),
      { childList: true, subtree: true },
    ),
  );
})();
