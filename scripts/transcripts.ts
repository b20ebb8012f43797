import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cloudTranscript } from "./transcripts/cloud.ts";
import { watiTranscript } from "./transcripts/wati.ts";
import { webTranscript } from "./transcripts/web.ts";

/** The transcripts of docs/transcripts.md, recorded anew: `bun run docs:transcripts`. */

const file = fileURLToPath(new URL("../docs/transcripts.md", import.meta.url));

const about = `# Transcripts

From an empty home to an answered message, once for each way to WhatsApp. They are recorded by
\`bun run docs:transcripts\`: the commands are run as they stand here, and what they print is printed here. In place of
the platforms there are stand-ins on this machine, whose addresses the recording puts into the config after
\`revka init\`; they are shown as the platforms' own. Lines that begin with \`#\` say what happens elsewhere.`;

const sections = [
  { title: "Cloud API", record: cloudTranscript },
  { title: "WhatsApp Web, linked by QR code", record: () => webTranscript("qr") },
  { title: "WhatsApp Web, linked by pair code", record: () => webTranscript("code") },
  { title: "WATI", record: watiTranscript },
];

/** The whole page, recorded side by side. */
export async function transcripts(): Promise<string> {
  const recorded = await Promise.all(
    sections.map(
      async ({ title, record }) => `## ${title}\n\n\`\`\`text\n${await record()}\n\`\`\``,
    ),
  );
  return `${[about, ...recorded].join("\n\n")}\n`;
}

/**
 * The page without what differs by moment and machine: codes, ids, numbers, where lines break, disk, service, and the
 * one log line that comes before or after its code. Pure.
 */
export function comparable(page: string): string {
  return page
    .replace(/^service\n[^]*?\n\n/gm, "")
    .replace(/^ +\w+ +space: .*\n( {8}.*\n)*/gm, "")
    .replace(/^.*waiting for a phone to link.*\n/gm, "")
    .replace(/[█▀▄ \n]{200,}/g, " QR ")
    .replace(/\b(id|delivery)=\S+/g, "$1=")
    .replace(/\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/g, "CODE")
    .replace(/\d+(\.\d+)?/g, "0")
    .replace(/\s+/g, " ");
}

if (import.meta.main) writeFileSync(file, await transcripts());
