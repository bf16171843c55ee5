// The Markdown pages of the project: the commands in them, their headings and links.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parsers } from "prettier/plugins/markdown";
import { inRoot } from "../../../scripts/lib/paths.mjs";

/** What is looked at of the tree that prettier's own parser makes of a page. */
interface Node {
  type: string;
  value?: string;
  url?: string;
  lang?: string | null;
  meta?: string | null;
  children?: Node[];
  position: { start: { line: number }; end: { line: number } };
}

/** A fenced block: its first words are ```` ```sh not-run ````. */
export interface Block {
  lang: string;
  mark: string;
  text: string;
  /** Lines of the page on which it begins and ends. */
  begin: number;
  end: number;
}

export interface Page {
  /** From the project's folder. */
  name: string;
  blocks: Block[];
  /** Where its links and pictures lead. */
  links: string[];
  /** The anchors of its headings. */
  anchors: Set<string>;
}

/** Pages lie in these, at any depth, and in the project's own folder. */
const FOLDERS = ["docs", "bench", "examples", "tests", ".github"];

const filesIn = (folder: string): string[] =>
  readdirSync(inRoot(folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));

export const pages = (): Promise<Page[]> =>
  Promise.all(
    [...readdirSync(inRoot(".")), ...FOLDERS.flatMap(filesIn)]
      .filter((name) => name.endsWith(".md") && !/node_modules|\.peers/.test(name))
      .sort()
      .map(read),
  );

async function read(name: string): Promise<Page> {
  // It asks for no option.
  const root: Node = await parsers.markdown.parse(readFileSync(inRoot(name), "utf8"), {} as never);
  const nodes = [...below(root)];
  const headings = nodes.filter(({ type }) => type === "heading").map(textOf);
  return {
    name,
    blocks: nodes.filter(({ type }) => type === "code").map(block),
    links: nodes.flatMap(({ type, url }) =>
      ["link", "image", "definition"].includes(type) ? [url ?? ""] : [],
    ),
    anchors: anchorsOf(headings),
  };
}

function* below(node: Node): Iterable<Node> {
  yield node;
  for (const child of node.children ?? []) yield* below(child);
}

const textOf = (node: Node): string =>
  [...below(node)].map(({ type, value }) => (type === "html" ? "" : (value ?? ""))).join("");

const block = ({ lang, meta, value, position }: Node): Block => ({
  lang: lang ?? "",
  mark: meta ?? "",
  text: value ?? "",
  begin: position.start.line,
  end: position.end.line,
});

/** As GitHub makes them: of two that are the same, the second one gets a number. */
function anchorsOf(headings: string[]): Set<string> {
  const anchors = new Set<string>();
  for (const heading of headings) {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, "")
      .replaceAll(" ", "-");
    let free = anchor;
    for (let n = 1; anchors.has(free); n += 1) free = `${anchor}-${n}`;
    anchors.add(free);
  }
  return anchors;
}

/** The blocks that are run, each with what the page says that it prints, if a block `text` stands right below. */
export const commands = ({ blocks }: Page): { block: Block; prints: string | undefined }[] =>
  blocks.flatMap((block, at) => {
    const next = blocks[at + 1];
    const prints = next?.lang === "text" && next.begin === block.end + 2 ? next.text : undefined;
    return block.lang === "sh" && block.mark === "" ? [{ block, prints }] : [];
  });

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\\\.\d+)?(?:Z|\\\+\d\d:\d\d)/g;

/** What a page shows, as a pattern: `…` is anything within a line, and times and ids are others of their kind. */
export const shown = (text: string): RegExp => {
  const pattern = text.split("…").map((part) =>
    part
      .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replace(TIME, "[-:.+TZ0-9]+")
      // An id that is cut short may have few digits.
      .replace(/[0-9a-f]{8,}|(?<=_)[0-9a-f]+$/g, "[0-9a-f]+"),
  );
  return new RegExp(`^${pattern.join("[^\\n]*?")}$`);
};
