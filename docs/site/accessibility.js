// Names the search dialog, and lets the keyboard scroll wide tables.
document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");
const makeFocusable = () => {
  for (const wrapper of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) {
    wrapper.tabIndex = 0;
    wrapper.setAttribute("role", "region");
    wrapper.setAttribute("aria-label", "Table");
  }
};
new MutationObserver(makeFocusable).observe(document.body, { childList: true, subtree: true });
makeFocusable();
