// Names the search dialog and the bar of each code block, and lets the keyboard scroll wide tables.
document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");
let codeBars = 0;
const addNames = () => {
  for (const wrapper of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) {
    wrapper.tabIndex = 0;
    wrapper.setAttribute("role", "group");
    wrapper.setAttribute("aria-label", "Table");
  }
  for (const bar of document.querySelectorAll(".md-code__nav:not([aria-label])")) {
    bar.setAttribute("aria-label", `Code block ${++codeBars}`);
  }
};
new MutationObserver(addNames).observe(document.body, { childList: true, subtree: true });
addNames();

// The theme opens the navigation of a phone and the search by labels of hidden checkboxes, which the keyboard cannot
// reach. A button in each label opens them, and Escape closes them. The navigation closes when the focus leaves it.
const addButton = (name, text, content) => {
  const label = document.querySelector(`.md-header__button[for=__${name}]`);
  const toggle = document.getElementById(`__${name}`);
  const button = document.createElement("button");
  const showState = () => button.setAttribute("aria-expanded", toggle.checked);
  button.type = "button";
  button.setAttribute("aria-label", text);
  button.append(...label.childNodes);
  button.addEventListener("click", () => toggle.click());
  label.append(button);
  toggle.addEventListener("change", () => {
    showState();
    if (toggle.checked) content.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !toggle.checked) return;
    toggle.click();
    button.focus();
  });
  showState();
};
const sidebar = document.querySelector(".md-sidebar--primary");
sidebar.tabIndex = -1;
for (const label of sidebar.querySelectorAll("[for^=__nav], [for=__toc]")) label.tabIndex = 0;
sidebar.addEventListener("focusout", ({ relatedTarget }) => {
  const drawer = document.getElementById("__drawer");
  if (drawer.checked && relatedTarget && !sidebar.contains(relatedTarget)) drawer.click();
});
addButton("drawer", "Navigation", sidebar);
addButton("search", "Search", document.querySelector(".md-search__input"));
