// BB code as Bitrix24 shows it, as DOM nodes. Text never becomes markup: what is no known tag stays text.

const inline = { b: "strong", i: "em", s: "s", u: "u" };
const transparent = new Set(["color", "font", "chat", "user", "call", "context", "left", "right", "center", "p"]);
/** Tags inside of one another; what is deeper stays text, for a browser cannot lay out thousands. */
const deepest = 24;
const rule = /^-{6,}$/;
const tagPattern = /\[(\/?)([a-z]+|\*)(?:=([^\]\n]*))?\]/gi;

/** The words of a message alone, for a line of a list; its end may be cut in the middle of a tag. */
export function plain(message) {
  return message.replace(tagPattern, (whole, slash, name) => (isKnown(name.toLowerCase()) ? " " : whole))
    .replace(/^>>\s?/gm, "").replace(/\[[^\]\s]*…?$/, "…").replace(/\s+/g, " ").trim();
}

/**
 * The nodes of a message. Texts to be sent or to be put into the field are buttons with `data-send` or `data-put`.
 */
export function render(message) {
  const source = withQuotes(message);
  const root = document.createDocumentFragment();
  const open = [{ name: "", node: root }];
  const top = () => open[open.length - 1];
  const add = (node) => (isBlock(node) ? addBlock(top().node, node) : top().node.append(node));
  const push = (name, node) => {
    add(node);
    open.push({ name, node });
  };
  const isOpen = (name) => open.some((entry) => entry.name === name);
  const close = (name) => {
    while (open.length > 1) if (open.pop().name === name) return;
  };

  let at = 0;
  tagPattern.lastIndex = 0;
  for (let match; (match = tagPattern.exec(source));) {
    const [whole, slash, rawName, value] = match;
    const name = rawName.toLowerCase();
    addText(top().node, source.slice(at, match.index), top().name);
    at = match.index + whole.length;

    if (slash) {
      if (isOpen(name)) close(name);
      else if (!isKnown(name)) addText(top().node, whole);
    } else if (open.length > deepest) {
      addText(top().node, whole);
    } else if (name === "br") {
      add(document.createElement("br"));
    } else if (name === "code") {
      at = addCode(add, source, at);
      tagPattern.lastIndex = at;
    } else if (name === "*") {
      if (!isOpen("list")) {
        addText(top().node, "• ");
      } else {
        while (top().name !== "list") open.pop();
        push("*", document.createElement("li"));
      }
    } else if (name === "list") {
      push(name, document.createElement(value ? "ol" : "ul"));
    } else if (name === "quote") {
      push(name, document.createElement("blockquote"));
    } else if (name === "size") {
      const span = document.createElement("span");
      if (Number.parseInt(value, 10) > 16) span.className = "big";
      push(name, span);
    } else if (name === "url") {
      at = addLink({ add, push, source, at, value });
      tagPattern.lastIndex = at;
    } else if (name === "send" || name === "put") {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "action";
      if (value) button.dataset[name] = value;
      push(name, button);
    } else if (name in inline) {
      push(name, document.createElement(inline[name]));
    } else if (transparent.has(name)) {
      push(name, document.createElement("span"));
    } else {
      addText(top().node, whole);
    }
  }
  addText(top().node, source.slice(at), top().name);
  return root;
}

/** Lines that begin with `>>`, and lines between two rules of dashes, are quotes; not so inside of code. */
function withQuotes(message) {
  const lines = [];
  let quoted = [];
  let isCode = false;
  const flush = () => {
    if (quoted.length) lines.push(`[quote]${quoted.join("\n")}[/quote]`);
    quoted = [];
  };
  const source = message.split("\n");
  for (let index = 0; index < source.length; index += 1) {
    const line = source[index];
    const end = isCode || !rule.test(line) ? -1 : source.findIndex((other, at) => at > index && rule.test(other));
    if (end > index + 1) {
      flush();
      lines.push(`[quote]${source.slice(index + 1, end).join("\n")}[/quote]`);
      index = end;
    } else if (!isCode && line.startsWith(">>")) {
      quoted.push(line.slice(2).trimStart());
    } else {
      flush();
      lines.push(line);
    }
    const opened = line.toLowerCase().lastIndexOf("[code]");
    const closed = line.toLowerCase().lastIndexOf("[/code]");
    if (opened !== closed) isCode = opened > closed;
  }
  flush();
  return lines.join("\n");
}

function isKnown(name) {
  return name in inline || transparent.has(name) || ["url", "code", "list", "quote", "size", "send", "put", "*"].includes(name);
}

/** Line ends are kept by the style; around and inside of blocks they say nothing, for a block stands alone anyway. */
function addText(node, text, inside = "") {
  if (inside === "list" && !text.trim()) return;
  if (inside === "*") text = text.replace(/\n+$/, "");
  if (isBlock(node.lastChild)) text = text.replace(/^\n+/, "");
  if (text) node.append(document.createTextNode(text));
}

function addBlock(node, block) {
  const before = node.lastChild;
  if (before instanceof Text) before.data = before.data.replace(/\n+$/, "");
  node.append(block);
}

function isBlock(node) {
  return node instanceof Element && ["UL", "OL", "LI", "PRE", "BLOCKQUOTE"].includes(node.tagName);
}

function addCode(add, source, at) {
  const end = source.toLowerCase().indexOf("[/code]", at);
  const code = source.slice(at, end < 0 ? source.length : end);
  const element = document.createElement("code");
  element.textContent = code.replace(/^\n|\n$/g, "");
  if (code.includes("\n")) {
    const block = document.createElement("pre");
    block.append(...element.childNodes);
    add(block);
  } else {
    add(element);
  }
  return end < 0 ? source.length : end + "[/code]".length;
}

/** `[url=address]text[/url]` or `[url]address[/url]`. */
function addLink({ add, push, source, at, value }) {
  const link = document.createElement("a");
  link.rel = "noopener noreferrer nofollow";
  link.target = "_blank";
  if (value) {
    if (isWebAddress(value)) link.href = value;
    push("url", link);
    return at;
  }
  const end = source.toLowerCase().indexOf("[/url]", at);
  const address = source.slice(at, end < 0 ? source.length : end);
  if (isWebAddress(address)) link.href = address.trim();
  link.textContent = address;
  add(link);
  return end < 0 ? source.length : end + "[/url]".length;
}

function isWebAddress(text) {
  try {
    return ["http:", "https:", "mailto:", "tel:"].includes(new URL(text.trim()).protocol);
  } catch {
    return false;
  }
}
