import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { buildInfo, versionLine } from "../runtime/build-info.ts";
import { exitCode, type Command } from "./command.ts";
import { installedPackages, noticesOf, type Notice } from "./licenses/notices.ts";
import { unpackNotices } from "./licenses/packed.ts";

/** Set by the build: what the bundler really took into this binary (scripts/notices.ts). */
declare const REVKA_NOTICES_FILE: string | undefined;

const noticesFile = v.object({
  own: v.string(),
  packages: v.array(
    v.object({ name: v.string(), version: v.string(), license: v.string(), text: v.string() }),
  ),
});
export type NoticesFile = v.InferOutput<typeof noticesFile>;

export const command: Command = {
  usage: "licenses [--full | --json]",
  about:
    "Prints Revka's licence and the packages that this very build holds, each with its licence. --full adds their licence texts.",
  options: {
    full: { description: "With the licence text of every package" },
    json: { description: "One JSON document on standard output" },
  },
  examples: [["revka licenses --full > NOTICES.txt", "what to pass on with the binary"]],
  async run({ options, terminal }) {
    const { own, packages } = await held();
    if (options["json"]) {
      terminal.out(`${JSON.stringify({ variant: buildInfo.variant, own, packages }, null, 2)}\n`);
    } else {
      terminal.out(describeLicenses(own, packages, options["full"] === true));
    }
    return exitCode.fine;
  },
};

async function held(): Promise<NoticesFile> {
  if (typeof REVKA_NOTICES_FILE === "string") {
    const file: { default: string } = await import(REVKA_NOTICES_FILE, { with: { type: "text" } });
    return v.parse(noticesFile, unpackNotices(file.default));
  }
  const root = fileURLToPath(new URL("../..", import.meta.url));
  return {
    own: readFileSync(`${root}/LICENSE`, "utf8").trim(),
    packages: noticesOf(installedPackages(root)),
  };
}

/** The page for a person. A package under the GPL puts the binary as a whole under it, so that is said first. Pure. */
export function describeLicenses(
  own: string,
  packages: readonly Notice[],
  full: boolean,
  title = versionLine(),
): string {
  const copyleft = packages.filter(
    ({ license }) => /\bA?GPL/.test(license) && !/\bOR\b/i.test(license),
  );
  const lines = [title, "", own, ""];
  if (copyleft.length > 0) {
    const names = copyleft.map(({ name, license }) => `${name} (${license})`).join(", ");
    lines.push(
      `This build holds ${names}:`,
      "the Signal protocol that WhatsApp Web speaks, which Baileys brings along. Revka's",
      "own code stays under the MIT licence, but whoever passes this binary on does so",
      "under the terms of the GPL and offers the source of all of it. The default",
      "variant holds neither libsignal nor Baileys.",
      "",
    );
  }
  lines.push("It holds these packages:", "");
  for (const { name, version, license } of packages) lines.push(`  ${name} ${version}: ${license}`);
  if (full) {
    for (const { name, version, license, text } of packages) {
      lines.push("", `=== ${name} ${version} (${license})`, "", text || "(no licence file)");
    }
  }
  return `${lines.join("\n")}\n`;
}
