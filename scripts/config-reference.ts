import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { credentials } from "../src/runtime/credentials.ts";
import { exportSchema } from "../src/config/schema-export.ts";
import { configSchema } from "../src/config/schema.ts";
import { sectionsOf, type Section } from "./config-reference/sections.ts";
import { table } from "./config-reference/table.ts";

/**
 * The reference of the config file: `bun run docs:config` writes docs/configuration.md from the schema. With `--check`
 * it only says, by its exit code, whether the file is as it would write it.
 */

const file = fileURLToPath(new URL("../docs/configuration.md", import.meta.url));
const head = fileURLToPath(new URL("./config-reference/head.md", import.meta.url));

/** The whole page as Markdown. */
export function configReference(): string {
  const defaults = v.parse(configSchema, {
    channels_config: { whatsapp: {}, wati: {} },
    agent: {},
    transcription: {},
    tts: {},
    proxy: {},
    tunnel: {},
  });
  const sections = sectionsOf(exportSchema(), defaults);
  return [readFileSync(head, "utf8").trimEnd(), credentialsPart(), ...sections.map(sectionPart)]
    .map((part) => `${part}\n`)
    .join("\n");
}

function credentialsPart(): string {
  const rows = Object.entries(credentials).map(([name, key]) => [
    `\`${name}\``,
    key === null ? "the key of the WhatsApp Web session" : `\`${key}\``,
  ]);
  return `## systemd credentials

Secrets need not stand in the file. \`revka service install --credentials DIR\` hands the files of that folder over with
\`LoadCredential=\`; a drop-in with \`SetCredentialEncrypted=\` works as well. A credential wins over the file and switches
on nothing: its table must be there.

${table(["credential", "stands for"], rows)}`;
}

function sectionPart({ path, about, keys }: Section): string {
  const title = path === "" ? "## Top-level keys" : `## \`[${path}]\``;
  const note = path === "" ? "They stand before the first table of the file." : `${about}.`;
  const rows = keys.map(({ name, type, fallback, meaning }) => [
    `\`${name}\``,
    type,
    fallback,
    meaning,
  ]);
  return `${title}\n\n${note}\n\n${table(["key", "type", "default", "meaning"], rows)}`;
}

if (import.meta.main) {
  const page = configReference();
  if (!process.argv.includes("--check")) writeFileSync(file, page);
  else if (readFileSync(file, "utf8") !== page) {
    console.error("docs/configuration.md is stale: bun run docs:config");
    process.exit(1);
  }
}
