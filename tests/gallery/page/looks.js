// Measured in the page: contrast of every text and of every edge that a control needs, and what has no name.
() => {
  const numbers = (colour) => { const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number); return { r, g, b, a }; };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a), b: top.b * top.a + under.b * (1 - top.a), a: 1,
  });
  const part = (value) => { const c = value / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = ({ r, g, b }) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ratio = (one, other) => { const [high, low] = [light(one), light(other)].sort((a, b) => b - a); return (high + 0.05) / (low + 0.05); };
  // What stands behind an element. A text on a picture is held against the worst one: white.
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.a > 0) layers.push(colour);
      if (colour.a === 1) break;
      if (at.matches(".tag, .shot-name")) { layers.push({ r: 255, g: 255, b: 255, a: 1 }); break; }
    }
    return layers.reverse().reduce((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
  };
  const visible = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.getClientRects().length > 0;
  const about = (element) => `${element.tagName.toLowerCase()}.${element.className} "${(element.textContent || "").trim().slice(0, 30)}"`;

  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !visible(element) || element.closest(":disabled, option, noscript, .skip-link")) continue;
    if (element.matches(".slate") && !element.nextElementSibling.hidden) continue; // the picture covers it
    if (document.querySelector("dialog[open]") && !element.closest("dialog, .messages")) continue; // behind a dialog
    const found = ratio(over(numbers(getComputedStyle(element).color), ground(element)), ground(element));
    texts.push([Number(found.toFixed(2)), about(element)]);
  }
  const edges = [...document.querySelectorAll(".button:not(.primary), input[type=search]")].filter(visible).map((element) =>
    [Number(ratio(numbers(getComputedStyle(element).borderTopColor), ground(element.parentElement)).toFixed(2)), about(element)]);
  const nameless = [...document.querySelectorAll("a, button, input, select, summary, dialog[open], progress, meter, video")].filter((element) =>
    visible(element) && element.getAttribute("aria-hidden") !== "true" && !(element.getAttribute("aria-label") || element.getAttribute("aria-labelledby") || element.textContent.trim()
      || [...(element.labels || [])].some((label) => label.textContent.trim())));
  const unlabelled = [...document.querySelectorAll("img:not([alt])")];
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return {
    texts: texts.filter(([found]) => found < 4.5),
    edges: edges.filter(([found]) => found < 3),
    counted: texts.length,
    nameless: [...nameless, ...unlabelled].map(about),
    doubled: ids.filter((id, at) => ids.indexOf(id) !== at),
    styled: [...document.querySelectorAll("script:not([src]), style, [onclick], [onload], [onerror]")].map(about),
  };
}
