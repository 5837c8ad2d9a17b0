// What a page is, asked of the page itself: each function returns sentences, one per thing found.
() => {
  const rendered = (element) =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const named = (element) => {
    const kind = element.getAttribute("class");
    return element.tagName.toLowerCase() + (kind ? "." + kind.trim().split(/\s+/).join(".") : "");
  };
  const quoted = (text) => JSON.stringify(text.trim().replace(/\s+/g, " ").slice(0, 60));
  const unique = (sentences) => [...new Set(sentences)];

  // For screen readers alone: cut down to a pixel.
  const unpainted = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const box = each.getBoundingClientRect();
      if (box.width <= 1 && box.height <= 1 && getComputedStyle(each).overflowX !== "visible") return true;
    }
    return false;
  };

  // Every text with its element; what is code or a title is none.
  const texts = function* () {
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!element || !node.data.trim()) continue;
      if (element.closest("head, script, style, template, title, desc, metadata, defs")) continue;
      yield [node, element];
    }
  };

  const open = () => {
    for (const each of document.querySelectorAll("details")) {
      each.removeAttribute("name"); // one of a name closes the others
      each.open = true;
    }
    return [];
  };

  // --- width ------------------------------------------------------------------------------------

  const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  const overflowing = (scrollable) => {
    const root = document.documentElement;
    const wide = root.scrollWidth > root.clientWidth
      ? [`the page is ${root.scrollWidth} px wide, the window ${root.clientWidth}`] : [];
    const tell = (element, box) => {
      if (box.right > root.clientWidth + 1 || box.left < -1) {
        wide.push(`${named(element)} from ${Math.round(box.left)} to ${Math.round(box.right)} px`);
      }
    };
    const held = new Set(); // what lies in a scroll container of its own, or in a drawing
    for (const element of document.body.querySelectorAll("*")) {
      const parent = element.parentElement;
      if (held.has(parent) || (scrollable && parent !== document.body && scrolls(parent)) || parent instanceof SVGElement) {
        held.add(element);
      } else if (rendered(element) && !unpainted(element)) {
        tell(element, element.getBoundingClientRect());
      }
    }
    const windows = new Map(); // the nearest box around an element that cuts what sticks out
    const around = (element) => {
      if (!element) return null;
      if (!windows.has(element)) {
        const cuts = ["hidden", "clip"].includes(getComputedStyle(element).overflowX);
        windows.set(element, cuts ? element.getBoundingClientRect() : around(element.parentElement));
      }
      return windows.get(element);
    };
    const range = document.createRange(); // a word may be wider than its box
    for (const [node, element] of texts()) {
      if (held.has(element) || (scrollable && scrolls(element)) || element instanceof SVGElement) continue;
      if (!rendered(element) || unpainted(element)) continue;
      range.selectNodeContents(node);
      const [box, frame] = [range.getBoundingClientRect(), around(element)];
      tell(element, box);
      if (frame && (box.right > frame.right + 1 || box.left < frame.left - 1)
        && getComputedStyle(element).textOverflow !== "ellipsis") {
        wide.push(`${named(element)} is cut at ${Math.round(frame.right)} px: ${quoted(node.data)}`);
      }
    }
    return unique(wide);
  };

  // What a box does not show without scrolling; what ends in "…" says so itself.
  const cut = () => unique([...document.body.querySelectorAll("*")]
    .filter((element) => !(element instanceof SVGElement) && rendered(element) && !unpainted(element))
    .filter((element) => {
      const style = getComputedStyle(element);
      const [across, down] = [style.overflowX, style.overflowY].map((way) => way !== "visible");
      return style.webkitLineClamp === "none" && style.textOverflow !== "ellipsis"
        && ((across && element.scrollWidth > element.clientWidth + 1)
          || (down && element.scrollHeight > element.clientHeight + 1));
    })
    .map((element) => `${named(element)} shows ${element.clientWidth} x ${element.clientHeight} px`
      + ` of ${element.scrollWidth} x ${element.scrollHeight}`));

  // --- contrast ---------------------------------------------------------------------------------

  const pencil = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
    .getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) {
      pencil.clearRect(0, 0, 1, 1);
      pencil.fillStyle = colour;
      pencil.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pencil.getImageData(0, 0, 1, 1).data;
      known.set(colour, [r, g, b, a / 255]);
    }
    return known.get(colour);
  };
  const over = ([r, g, b, a], below) =>
    [r, g, b].map((value, i) => value * a + below[i] * (1 - a)).concat(1);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  // The colours that lie below an element's text: several, where an image or a gradient does.
  const paper = (() => {
    const sheet = document.createElement("div");
    sheet.style.backgroundColor = "Canvas";
    document.documentElement.append(sheet);
    const colour = rgba(getComputedStyle(sheet).backgroundColor);
    sheet.remove();
    return colour;
  })();
  const grounds = new Map();
  const below = (element) => {
    if (!element) return [paper];
    if (!grounds.has(element)) {
      const style = getComputedStyle(element);
      const under = below(element.parentElement);
      const flat = under.map((each) => over(rgba(style.backgroundColor), each));
      const drawn = style.backgroundImage.match(/(rgba?|color|oklch|oklab)\([^()]*\)/g) ?? [];
      const layers = drawn.flatMap((colour) => flat.map((each) => over(rgba(colour), each)));
      grounds.set(element, flat.concat(layers));
    }
    return grounds.get(element);
  };
  const faded = (element) => {
    let share = 1;
    for (let each = element; each; each = each.parentElement) share *= getComputedStyle(each).opacity;
    return share;
  };

  // In a drawing the ground is what was painted before, at the middle of the text.
  const painted = new Map();
  const shapes = (drawing) => {
    if (!painted.has(drawing)) {
      const found = [...drawing.querySelectorAll("rect, path, circle, ellipse, polygon")];
      painted.set(drawing, found
        .map((shape) => [shape, getComputedStyle(shape), shape.getScreenCTM()])
        .filter(([shape, style, frame]) =>
          frame && style.fill !== "none" && !style.fill.startsWith("url") && !shape.closest("defs, clipPath, mask") && rendered(shape)));
    }
    return painted.get(drawing);
  };
  const beneath = (text, drawing) => {
    const box = text.getBoundingClientRect();
    const middle = new DOMPoint(box.x + box.width / 2, box.y + box.height / 2);
    let under = below(drawing);
    for (const [shape, style, frame] of shapes(drawing)) {
      if (!(shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING)) break;
      if (!shape.isPointInFill(middle.matrixTransform(frame.inverse()))) continue;
      const [r, g, b, a] = rgba(style.fill);
      const fill = [r, g, b, a * style.fillOpacity * faded(shape)];
      under = under.map((each) => over(fill, each));
    }
    return under;
  };

  const faint = (least) => {
    const found = [];
    for (const [node, element] of texts()) {
      if (!rendered(element) || element.closest(":disabled") || unpainted(element)) continue;
      const style = getComputedStyle(element);
      const drawing = element instanceof SVGElement ? element.closest("svg") : null;
      const [r, g, b, a] = rgba(drawing ? style.fill : style.color);
      const ink = [r, g, b, a * faded(element) * (drawing ? style.fillOpacity : 1)];
      for (const ground of drawing ? beneath(element, drawing) : below(element)) {
        const measured = ratio(over(ink, ground), ground);
        if (measured < least) {
          found.push(`${named(element)} ${quoted(node.data)}: ${measured.toFixed(2)}`);
        }
      }
    }
    return unique(found);
  };

  // --- links and what is there to read ----------------------------------------------------------

  const anchors = () => {
    const seen = new Set();
    const twice = [];
    for (const { id } of document.querySelectorAll("[id]")) {
      if (seen.has(id)) twice.push(`two elements have the id ${quoted(id)}`);
      seen.add(id);
    }
    // What asks a filter names no place; what becomes of it is its page's own test.
    const dead = [...document.querySelectorAll("a[href^='#']:not([data-asks]), area[href^='#']")]
      .map((link) => link.getAttribute("href"))
      .filter((href) => href !== "#top" && !seen.has(decodeURIComponent(href.slice(1))))
      .map((href) => `nothing has the id of ${quoted(href)}`);
    return unique(dead.concat(twice));
  };

  const schemes = () => {
    const places = "[href], [src], [action], [formaction], [data], [srcset], [poster], [ping]";
    const found = [];
    for (const element of document.querySelectorAll(places)) {
      for (const name of ["href", "src", "action", "formaction", "data", "poster", "ping"]) {
        const given = element.getAttribute(name);
        if (given === null || given.startsWith("#")) continue;
        const scheme = URL.parse(given, document.baseURI)?.protocol ?? "no URL";
        if (!["http:", "https:", "data:", "blob:", location.protocol].includes(scheme)
          || (scheme === "data:" && element.matches("a, iframe, object, embed, script")
            && !element.hasAttribute("download"))) {
          found.push(`${named(element)} ${name}=${quoted(given)}`);
        }
      }
    }
    const handlers = [...document.querySelectorAll("*")]
      .flatMap((element) => [...element.attributes].filter(({ name }) => name.startsWith("on"))
        .map(({ name }) => `${named(element)} has a handler ${name}`));
    return unique(found.concat(handlers));
  };

  const unseen = (but) => unique([...texts()]
    .filter(([, element]) => !rendered(element) && !element.closest(`noscript, option, ${but}`))
    .map(([node, element]) => `${named(element)} ${quoted(node.data)}`));

  // A mark that turns the direction of what follows is held in a box that is inline, or that
  // holds nothing else.
  const apart = (node, element) => {
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.display !== "inline") return each.textContent.trim() === node.data.trim();
      if (style.unicodeBidi.includes("isolate") || style.unicodeBidi === "plaintext") return true;
    }
    return false;
  };
  const unisolated = () => unique([...texts()]
    .filter(([node, element]) => /[\u202a-\u202e\u2066-\u2069]/.test(node.data) && !apart(node, element))
    .map(([node, element]) => `${named(element)} ${quoted(node.data)}`));

  return { unisolated, cut, open, overflowing, faint, anchors, schemes, unseen };
}
