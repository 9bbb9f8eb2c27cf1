// tests/docs/check_site.py runs this file in each page, and calls its functions.

const shorten = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 120);

const describe = ({ id, impact, nodes }) =>
  `${id} (${impact}): ${nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" ")}`;

const scrolls = (element) => ["auto", "scroll", "hidden"].includes(getComputedStyle(element).overflowX);

// True if the element sticks out of the screen, and nothing around it scrolls.
function isOutside(element) {
  if (element.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let parent = element; parent !== document.body; parent = parent.parentElement) if (scrolls(parent)) return false;
  return true;
}

function hasFocusMark(element) {
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  return document.activeElement === element && outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
}

function acceptsFocus(element) {
  element.focus({ preventScroll: true });
  return hasFocusMark(element);
}

async function checkPage() {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const article = document.querySelector("article");
  const links = [...article.querySelectorAll("a[href]")].filter((link) => link.offsetParent);
  return {
    violations: violations.map(describe),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    outside: [...article.querySelectorAll("*")].filter(isOutside).slice(0, 3).map(shorten),
    brokenImages: [...document.images].filter((image) => !image.naturalWidth).map(shorten),
    links: links.length,
    withoutFocusMark: links.slice(0, 40).filter((link) => !acceptsFocus(link)).slice(0, 3).map(shorten),
  };
}

// Waits for the end of all transitions: nobody presses a key within a quarter of a second.
async function settle() {
  const transitions = document.getAnimations().filter((one) => one instanceof CSSTransition);
  await Promise.allSettled(transitions.map((one) => one.finished));
}

// Returns the focused element, and a problem if a reader does not see that it has the focus.
async function describeFocus(selector) {
  await settle();
  const element = document.activeElement;
  const { left, right, top, bottom } = element.getBoundingClientRect();
  const found = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const isVisible = found !== null && element.contains(found);
  return {
    element: shorten(element),
    isTarget: element.matches(selector),
    problem: !isVisible ? "not visible" : hasFocusMark(element) ? "" : "without a focus mark",
  };
}
