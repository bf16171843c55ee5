// The HTML of somebody else, made harmless to look at. What keeps it harmless is the frame that it stands in, without scripts, origin and
// network, and that text is shown as text; here it only loses what that frame would refuse.

/** Their content is no text of the page. */
const UNSEEN =
  /<(script|style|template|title|head|svg|noscript)\b[\s\S]*?<\/\1\s*>|<!--[\s\S]*?-->|<![^>]*>/gi;
/** A tag: its name, and its attributes, in which `>` may stand between quotation marks. */
const TAG = /<(\/?)([a-z][a-z0-9-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>/gi;

const BLOCKS = new Set(
  "address article aside blockquote br dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr label legend li main nav ol option p pre section table td th tr ul".split(
    " ",
  ),
);
const SHOWN = new Set([
  ...BLOCKS,
  ..."a abbr b button caption code em i input kbd mark s select small span strong sub sup tbody textarea tfoot thead u".split(
    " ",
  ),
]);

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };
const decoded = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,8}));/gi, (whole, decimal, hexadecimal, name) => {
    if (name) return ENTITIES[String(name).toLowerCase()] ?? whole;
    const point = decimal ? Number(decimal) : Number.parseInt(String(hexadecimal), 16);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });

/** What a person would read on it, a line for each part. */
export const textOf = (html: string): string =>
  decoded(
    html
      .replace(UNSEEN, " ")
      .replaceAll("\n", " ")
      .replace(TAG, (_, __, name: string) => (BLOCKS.has(name.toLowerCase()) ? "\n" : " ")),
  )
    .split("\n")
    .map((line) => line.replaceAll(/\s+/g, " ").trim())
    .filter((line) => line !== "")
    .join("\n");

/** Its elements without any attribute: no style, no picture, no link, and nothing else that would be asked for. */
export const bareOf = (html: string): string =>
  html.replace(UNSEEN, "").replace(TAG, (_, end: string, name: string, attributes: string) => {
    const isHidden = /\btype\s*=\s*["']?hidden/i.test(attributes);
    return SHOWN.has(name.toLowerCase()) && !isHidden ? `<${end}${name}>` : "";
  });
