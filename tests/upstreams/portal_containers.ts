// The portal's containers and what has happened to each: made up from its place in the list, always the same.
import { escaped, layout, problemPage } from "./portal_pages.ts";
import type { Switches } from "./switches.ts";

export const COLUMNS = [
  ...["Container #", "Trade Type", "Status", "Holds", "Pregate Ticket#", "Emodal Pregate Status"],
  ...["Gate Status", "Origin", "Destination", "Current Loc", "Line", "Vessel Name", "Vessel Code"],
  ...["Voyage", "Size Type", "Fees", "LFD/GTD", "Tags"],
];

/** Newest first. */
const MILESTONES = [
  ...["Empty Received", "Empty released by customer", "Arrived at customer", "Departed Terminal", "Pregate"],
  ...["Ready for pick up", "Last Free Day", "Discharged", "Container Manifested"],
];

const FROM_PREGATE = MILESTONES.length - MILESTONES.indexOf("Pregate");
const FIRST = 1_000_000;
const FIRST_PAGE = 40;
const PAGE = 20;

const numberOf = (index: number): string => `MSCU${FIRST + index}`;

/** Four letters and seven digits; but for `XXXX`, so that there is always one to ask for that is not there. */
const NUMBER = /^(?!XXXX)[A-Z]{4}(\d{7})$/;

/** The place of a container in the list. One that is not there and known all the same is made up from its own number. */
export function indexOf(number: string, portal: Switches["portal"]): number | undefined {
  const index = Number(/^MSCU(\d{7})$/.exec(number)?.[1] ?? "0") - FIRST;
  if (index >= 0 && index < portal.containers) return index;
  const digits = NUMBER.exec(number)?.[1];
  return portal.known_containers === "any" && digits !== undefined ? Number(digits) : undefined;
}

/** The cells of a row as HTML. */
function cells(index: number): string[] {
  const isImport = index % 3 !== 2;
  const at = (values: string[]) => escaped(values[index % values.length] ?? "");
  const holds = [
    ...["", `<span class="hold">CUSTOMS</span><br><span class='hold'>FREIGHT &amp; FEES</span>`],
    ...["<span>NONE</span>", "LINE<br/>TERMINAL"],
  ];
  return [
    `<a href="/portal/containers/${numberOf(index)}">${numberOf(index)}</a>`,
    isImport ? "IMPORT" : "EXPORT",
    at(["In Yard", "On Vessel", "Departed"]),
    holds[index % holds.length] ?? "",
    index % 2 === 1 ? String(7_400_000 + index) : "",
    index % 2 === 1 ? "COMPLETE" : "",
    at(["", "IN GATE", "OUT GATE"]),
    at(["CNSHA", "VNSGN", "KRPUS"]),
    "USLGB",
    at(["ITS Long Beach", "APM Pier 400", "TraPac", "Yard <B> / Row 7"]),
    "MSCU",
    at(["MSC ANNA & CLARA", 'STAR "NORTH"', "CAPTAIN'S BAY"]),
    at(["MAC", "STN", "CPB"]),
    `${100 + (index % 40)}W`,
    at(["40HC", "20GP", "45HC"]),
    at(["", "$125.00", "$0.00"]),
    `10/${String(10 + (index % 20)).padStart(2, "0")}/2026`,
    at(["", "HOT & <NEW>", "HAZ"]),
  ];
}

/** Rows of the list from `begin` on, 40 at the beginning and else 20, their cells as HTML; and where those end. */
export function containerRows(begin: number, total: number): { rows: string[][]; end: number } {
  const end = Math.max(begin, Math.min(begin === 0 ? FIRST_PAGE : begin + PAGE, total));
  return { rows: Array.from({ length: end - begin }, (_, n) => cells(begin + n)), end };
}

/** What people read in a row. */
export const containerTexts = (index: number): string[] => cells(index).map(textOf);

const textOf = (html: string): string =>
  html
    .replace(/<br\s*\/?>/g, " ")
    .replace(/<[^>]*>/g, "")
    .replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => READ[entity] ?? entity);

const READ: Record<string, string> = {
  ...{ "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" },
};

/** A page of the list, which goes from 1: 40 rows, then 20 each. */
export function containersPage(pageNumber: string | null, total: number, user: string): string {
  const number = /^[1-9]\d{0,5}$/.test(pageNumber ?? "") ? Number(pageNumber) : 1;
  const { rows, end } = containerRows(number === 1 ? 0 : FIRST_PAGE + (number - 2) * PAGE, total);
  const more = `<a rel="next" href="/portal/containers?page=${number + 1}">Load more</a>`;
  return layout(
    "Containers",
    `<h1>Containers</h1>
${table("containers", COLUMNS, rows)}
${end < total ? more : "<p>No more containers</p>"}`,
    user,
  );
}

/** What has happened to a container; undefined if there is no such one. */
export function timelinePage(number: string, portal: Switches["portal"], user: string): string | undefined {
  const index = indexOf(number, portal);
  if (index === undefined) return undefined;
  const rows = milestones(index).map(({ milestone, date, status }) => [
    milestone,
    date,
    `<span class='badge ${status}'>${status}</span>`,
  ]);
  const body = `<h1>Container ${number}</h1>\n${table("timeline", ["Milestone", "Date", "Status"], rows)}`;
  return layout(`Container ${number}`, body, user);
}

export const containerNotFound = (user: string): string => problemPage("Container not found", user);

/** Every second container, from the second on, has passed Pregate. */
export function milestones(index: number): { milestone: string; date: string; status: string }[] {
  const done = index % 2 === 1 ? FROM_PREGATE + (index % 4) : index % FROM_PREGATE;
  return MILESTONES.map((milestone, n) => {
    const age = MILESTONES.length - n;
    const completed = age <= done;
    const day = `10/${String(9 + age + (index % 10)).padStart(2, "0")}/2026`;
    // The last free day is known before it comes, and has no hour.
    if (milestone === "Last Free Day") return { milestone, date: day, status: statusOf(completed) };
    return {
      milestone,
      date: completed ? `${day} ${10 + (index % 10)}:05` : "N/A",
      status: statusOf(completed),
    };
  });
}

const statusOf = (completed: boolean): string => (completed ? "completed" : "pending");

/** `rows` are HTML, `head` is text. */
const table = (id: string, head: string[], rows: string[][]): string => `<table class='grid' id="${id}">
<thead><tr>${head.map((name) => `<th scope=col>${escaped(name)}</th>`).join("")}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n")}
</tbody>
</table>`;
