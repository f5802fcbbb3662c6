// A bot's Markdown as nodes. Text never becomes markup: what is not understood here stays text.

import { h, outside } from "./dom.js";

/** Lists and quotes inside of one another; what is deeper stays text, for a browser cannot lay out thousands. */
const deepest = 8;
const item = /^(\s*)([-*+•]|\d{1,9}[.)])\s+(.*)$/;
const fence = /^\s{0,3}(```+|~~~+)/;
const quote = /^\s{0,3}> ?/;
const heading = /^\s{0,3}#{1,6}\s+(.*?)\s*#*$/;
const rule = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;

/** An element with the text, laid out. */
export function markdown(text) {
  return h("div.prose", blocks(text.replace(/\r\n?/g, "\n").split("\n"), 0));
}

/** The nodes of words within a line, such as a description with `names` in it. */
export function inlineMarkdown(text) {
  return inline(text);
}

function blocks(lines, depth) {
  const found = [];
  let paragraph = [];
  const end = () => {
    if (paragraph.length) found.push(h("p", inline(paragraph.join("\n"))));
    paragraph = [];
  };
  for (let at = 0; at < lines.length;) {
    const [node, next] = block(lines, at, depth);
    if (node) {
      end();
      found.push(node);
    } else if (lines[at].trim()) {
      paragraph.push(lines[at].trim());
    } else {
      end();
    }
    at = next;
  }
  end();
  return found;
}

/** The block that begins at a line, if one does, and where it is over. */
function block(lines, at, depth) {
  const line = lines[at];
  if (fence.test(line)) return code(lines, at);
  if (rule.test(line)) return [h("hr"), at + 1];
  if (heading.test(line)) return [h("p", h("strong", inline(line.match(heading)[1]))), at + 1];
  if (depth < deepest && item.test(line)) return list(lines, at, depth);
  if (depth < deepest && quote.test(line)) {
    const end = endOf(lines, at, (one) => quote.test(one));
    return [h("blockquote", blocks(lines.slice(at, end).map((one) => one.replace(quote, "")), depth + 1)), end];
  }
  return [null, at + 1];
}

function endOf(lines, at, belongs) {
  let end = at;
  while (end < lines.length && belongs(lines[end])) end += 1;
  return end;
}

function code(lines, at) {
  const [, mark] = lines[at].match(fence);
  const end = endOf(lines, at + 1, (line) => !line.trim().startsWith(mark));
  return [h("pre", h("code", lines.slice(at + 1, end).join("\n"))), end + 1];
}

/** Its items begin where the first does; what stands further in belongs to the item before. */
function list(lines, at, depth) {
  const [, { length: indent }, mark] = lines[at].match(item);
  const isOrdered = /\d/.test(mark);
  const items = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next];
    const match = line.match(item);
    if (match && match[1].length <= indent && /\d/.test(match[2]) !== isOrdered) break;
    if (match && match[1].length < indent) break;
    if (match && match[1].length < indent + 2) items.push([match[3]]);
    else if (/^\s/.test(line) || (!line.trim() && continues(lines[next + 1], indent))) items.at(-1).push(line.slice(Math.min(indent + 2, line.search(/\S|$/))));
    else break;
  }
  const start = isOrdered ? Number.parseInt(mark, 10) : 1;
  return [h(isOrdered ? "ol" : "ul", { start: start === 1 ? null : start }, items.map((one) => h("li", tight(blocks(one, depth + 1))))), next];
}

function continues(line, indent) {
  return line !== undefined && (item.test(line) || /^\s+\S/.test(line)) && line.search(/\S/) >= indent;
}

/** An item of one paragraph is no paragraph. */
function tight(nodes) {
  return nodes[0]?.tagName === "P" ? [...nodes[0].childNodes, ...nodes.slice(1)] : nodes;
}


const inlinePattern = new RegExp([
  /\\([\\`*_{}[\]()#+\-.!~>|])/, // an escaped sign
  /(`+)(.+?)\2(?!`)/, // code
  /!?\[([^\]]{1,2000})\]\(<?([^\s)>]{1,4000})>?(?:\s+"[^"]{0,500}")?\)/, // a link, or an image: a link too
  /\*\*(?=\S)(.+?)\*\*/, /\b__(?=\S)(.+?)__\b/, /\*(?=[^\s*])(.+?)\*/, /\b_(?=\S)(.+?)_\b/, /~~(?=\S)(.+?)~~/,
  /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]'*_])/,
].map((one) => one.source).join("|"), "su");

function inline(text, depth = 0) {
  const found = [];
  let rest = text;
  while (rest) {
    const match = depth < deepest && rest.match(inlinePattern);
    if (!match) break;
    const [whole, escaped, , codeText, label, address, bold, bold2, italic, italic2, struck, bare] = match;
    found.push(withBreaks(rest.slice(0, match.index)));
    rest = rest.slice(match.index + whole.length);
    const strong = bold ?? bold2;
    const emphasis = italic ?? italic2;
    if (escaped) found.push(escaped);
    else if (codeText) found.push(h("code", codeText.trim() || codeText));
    else if (strong) found.push(h("strong", inline(strong, depth + 1)));
    else if (emphasis) found.push(h("em", inline(emphasis, depth + 1)));
    else if (struck) found.push(h("s", inline(struck, depth + 1)));
    else found.push(link(bare ?? label, bare ?? address, whole));
  }
  return [...found, withBreaks(rest)];
}

function withBreaks(text) {
  return text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));
}

function link(label, address, whole) {
  return /^https?:\/\//i.test(address) && URL.canParse(address) ? outside(label, address) : whole;
}
