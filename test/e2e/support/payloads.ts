import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One row of `INDEX.tsv`: what a body written by others holds. */
export interface PayloadRow {
  path: string;
  api: "meta" | "wati";
  class: "core" | "negative" | "lenient" | "edge" | "robust";
  /** User messages in the body, before and after de-duplication within it. */
  raw: number;
  count: number;
  senders: string[];
  /** null: the body has no text of its own. */
  texts: (string | null)[];
  phoneNumberIds: string[];
  groupIds: string[];
  replyTo: string[];
  notes: string;
  body: Buffer;
}

/** Where the bodies lie, beside the project. */
export const payloadFolder = fileURLToPath(new URL("../../../../shared/payloads", import.meta.url));

/** Every row with its body, or null where the folder is absent. */
export function payloadRows(folder = payloadFolder): PayloadRow[] | null {
  const index = join(folder, "INDEX.tsv");
  if (!existsSync(index)) return null;
  const [head = "", ...lines] = readFileSync(index, "utf8").trimEnd().split("\n");
  const columns = head.split("\t");
  return lines.map((line) => {
    const cells = line.split("\t");
    const cell = (name: string) => cells[columns.indexOf(name)] ?? "";
    const list = <T>(name: string): T[] => JSON.parse(cell(name) || "[]");
    return {
      path: cell("path"),
      api: cell("api") === "wati" ? "wati" : "meta",
      class: payloadClass(cell("class")),
      raw: Number(cell("n_user_messages")),
      count: Number(cell("n_after_dedup")),
      senders: list("senders"),
      texts: list("texts"),
      phoneNumberIds: list("phone_number_ids"),
      groupIds: list("group_ids"),
      replyTo: list("reply_to"),
      notes: cell("notes"),
      body: readFileSync(join(folder, cell("path"))),
    };
  });
}

function payloadClass(name: string): PayloadRow["class"] {
  switch (name) {
    case "core":
    case "negative":
    case "lenient":
    case "edge":
    case "robust":
      return name;
    default:
      throw new Error(`INDEX.tsv: unknown class "${name}"`);
  }
}
