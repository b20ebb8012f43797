import { createHash } from "node:crypto";
import type { Variant } from "../build/variant.ts";
import type { Revision } from "../build/revision.ts";

/** A package of a bundle, with the packages of the same bundle that it imports from, as `name@version`. */
export interface Part {
  name: string;
  version: string;
  /** SPDX expression as the package states it. */
  license: string;
  dependencies: readonly string[];
  /** SHA-512 of the archive it was installed from, hexadecimal. */
  sha512: string | null;
}

interface Component {
  type: "application" | "library" | "platform";
  "bom-ref": string;
  group?: string;
  name: string;
  version: string;
  licenses?: ({ expression: string } | { license: { name: string } })[];
  hashes?: { alg: "SHA-512"; content: string }[];
  purl?: string;
}

/**
 * The bill of materials of a variant in CycloneDX 1.6. It depends on its arguments alone: the time is the commit's,
 * the serial number comes from the content. Pure.
 * https://cyclonedx.org/docs/1.6/json/
 */
export function billOfMaterials(
  variant: Variant,
  revision: Revision,
  runtime: { version: string; license: string },
  parts: readonly Part[],
) {
  const application: Component = {
    type: "application",
    "bom-ref": `revka@${revision.version}`,
    name: "revka",
    version: revision.version,
    // With a part under the GPL, that is what the whole is passed on under.
    licenses: [{ expression: variant === "default" ? "MIT" : "GPL-3.0-only" }],
  };
  const bun: Component = {
    type: "platform",
    "bom-ref": `bun@${runtime.version}`,
    name: "bun",
    version: runtime.version,
    licenses: [{ expression: runtime.license }],
    purl: `pkg:npm/bun@${runtime.version}`,
  };
  const components = [bun, ...parts.map(component)];
  const content = {
    metadata: {
      timestamp: new Date(revision.committedAt * 1000).toISOString(),
      component: application,
      properties: [
        { name: "revka:variant", value: variant },
        { name: "revka:commit", value: revision.commit },
      ],
    },
    components,
    dependencies: [
      { ref: application["bom-ref"], dependsOn: components.map((part) => part["bom-ref"]) },
      { ref: bun["bom-ref"], dependsOn: [] },
      ...parts.map((part) => ({ ref: idOf(part), dependsOn: part.dependencies.toSorted() })),
    ],
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
}

function idOf({ name, version }: { name: string; version: string }): string {
  return `${name}@${version}`;
}

function component(part: Part): Component {
  const [, group, name = part.name] = /^(@[^/]+)\/(.+)$/.exec(part.name) ?? [];
  return {
    type: "library",
    "bom-ref": idOf(part),
    ...(group === undefined ? {} : { group }),
    name,
    version: part.version,
    licenses: [
      /^[\w.+() -]+$/.test(part.license) && !/^(not stated|SEE )/.test(part.license)
        ? { expression: part.license }
        : { license: { name: part.license } },
    ],
    ...(part.sha512 === null ? {} : { hashes: [{ alg: "SHA-512", content: part.sha512 }] }),
    purl: `pkg:npm/${part.name.replace("@", "%40")}@${part.version}`,
  };
}

/** A UUID of version 8, made of the SHA-256 of a text (RFC 9562, section 5.8). */
function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
