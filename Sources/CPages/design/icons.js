// The signs of the pages, drawn in a field of 20 × 20 with lines of the text's colour.

const paths = {
  overview: "M3 10.500 10 4l7 6.500M5 9v7h10V9M8.500 16v-4h3v4",
  portal: "M3 16V7l4.500-3v12M7.500 8H17v8H3M10.500 11h3.500M10.500 13.500h3.500",
  app: "M4 4h5v5H4zM11 4h5v5h-5zM4 11h5v5H4zM13.500 11v5M11 13.500h5",
  provider: "M5.500 14.500a3.500 3.500 0 0 1-.3-7A5 5 0 0 1 14.900 8a3.300 3.300 0 0 1-.4 6.500z",
  connector: "M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v3",
  bot: "M6 4h8a3 3 0 0 1 3 3v5a3 3 0 0 1-3 3h-3l-4 3v-3H6a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3zM7.500 9v1.500M12.500 9v1.500",
  playground: "M6 4.500v11l9-5.500z",
  dialogs: "M3 4.500h10v7H7.500L5 14v-2.500H3zM15.500 8H17v7h-2v2.500L12.500 15H9",
  work: "M10 3.500 17.500 16.500h-15zM10 8.500v3.500M10 14.300v.1",
  live: "M2.500 10.500H6l2-6 3.500 11 2.300-5H17.500",
  changes: "M4.500 5.500a7 7 0 1 1-1.400 4M4 2.500v3.500h3.500M10 6.500V10l2.500 1.800",
  settings: "M4 6h7M15 6h1M4 14h1M9 14h7M13 4.200v3.600M7 12.200v3.600",
  menu: "M3.500 6h13M3.500 10h13M3.500 14h13",
  close: "M5 5l10 10M15 5 5 15",
  add: "M10 4v12M4 10h12",
  back: "M12.500 4.500 7 10l5.500 5.500",
  next: "M7.500 4.500 13 10l-5.500 5.500",
  copy: "M7 7h9v9H7zM13 7V4H4v9h3",
  check: "M4.500 10.500 8.300 14.300 15.500 6",
  outside: "M8 5H4.500v10.500H15V12M11 4h5v5M16 4l-7 7",
  key: "M12.500 3.500a4 4 0 1 1-3.800 5.300L3 14.500V17h3v-2h2v-2l1.800-1.800M13.500 7.500v.1",
  trash: "M4 6h12M8 6V4h4v2M5.500 6l.7 10.500h7.600L14.500 6M8.500 9v4.500M11.500 9v4.500",
  edit: "M4 16l.8-3.500L13.500 4l2.700 2.700-8.700 8.700z",
  info: "M10 2.800a7.200 7.200 0 1 1 0 14.400 7.200 7.200 0 0 1 0-14.400M10 9.200v4.300M10 6.500v.1",
  warning: "M10 3.500 17.500 16.500h-15zM10 8.500v3.500M10 14.300v.1",
  webhook: "M8 12.500 5.600 15a2.500 2.500 0 0 1-3.500-3.500L5.500 8A2.500 2.500 0 0 1 9 8M12 7.500 14.400 5a2.500 2.500 0 0 1 3.500 3.500L14.500 12a2.500 2.500 0 0 1-3.500 0M7.500 11.500l5-5",
  sandbox: "M6.500 3h7M8 3v5L3.800 15a1.500 1.500 0 0 0 1.300 2.200h9.800a1.500 1.500 0 0 0 1.300-2.200L12 8V3M6 12.500h8",
  send: "M10 16V4M5 9l5-5 5 5",
  stop: "M5.500 5.500h9v9h-9z",
  pause: "M7 4.500v11M13 4.500v11",
  refresh: "M16 8A6.500 6.500 0 0 0 4.500 6.500L3 8M3 4v4h4M4 12a6.500 6.500 0 0 0 11.500 1.500L17 12M17 16v-4h-4",
  search: "M9 3.500a5.500 5.500 0 1 1 0 11 5.500 5.500 0 0 1 0-11M13 13l3.800 3.800",
  out: "M8 4H4.500v12H8M8 10h9M14 7l3 3-3 3",
  download: "M10 3.500V12M6.500 9l3.500 3.500L13.500 9M4 16h12",
  upload: "M10 12.500V4M6.500 7 10 3.500 13.500 7M4 16h12",
  user: "M10 3.500a3.200 3.200 0 1 1 0 6.400 3.200 3.200 0 0 1 0-6.400M3.800 16.500a6.300 6.300 0 0 1 12.400 0",
  repair: "M12 3.500a4 4 0 0 0-3.700 5.600L3.500 14l2.500 2.500 4.900-4.800A4 4 0 0 0 16.300 7.500l-2.500 1.700-2-2z",
  flow: "M3 4h5v4H3zM12 12h5v4h-5zM5.500 8v4a2 2 0 0 0 2 2H12",
  spark: "M9 3.500 10.700 8.300 15.500 10l-4.800 1.700L9 16.500l-1.700-4.800L2.500 10l4.800-1.700zM15.500 2.500v4M13.500 4.500h4",
  code: "M7 6 3 10l4 4M13 6l4 4-4 4",
  people: "M7 4a2.600 2.600 0 1 1 0 5.200A2.600 2.600 0 0 1 7 4M2 15.500a5 5 0 0 1 10 0M13 4.300a2.600 2.600 0 0 1 0 4.700M14.500 10.800a5 5 0 0 1 3.500 4.700",
  file: "M5 3h6.500L15 6.500V17H5zM11.500 3v3.500H15",
};

/** A sign, hidden from screen readers: what it stands for is said in words beside it. */
export function icon(name) {
  const svg = drawn("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true" });
  svg.append(drawn("path", { d: paths[name] ?? "" }));
  return svg;
}

/** An element of SVG. */
export function drawn(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
