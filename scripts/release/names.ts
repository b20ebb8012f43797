import { variantSuffix, type Variant } from "../build/variant.ts";
import type { Target } from "../build/target.ts";

/** `revka-0.1.0-linux-x64-whatsapp-web`: the executable, and with `.tar.xz` its archive. */
export function executableName(version: string, target: Target, variant: Variant): string {
  return `revka-${version}-${target}${variantSuffix(variant)}`;
}

/** Names of what holds for a variant on every target. */
export function documentNames(version: string, variant: Variant) {
  const base = `revka-${version}${variantSuffix(variant)}`;
  return { billOfMaterials: `${base}.cdx.json`, notices: `${base}-NOTICES.txt` };
}
