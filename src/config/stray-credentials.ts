import { readdirSync } from "node:fs";
import { configCredential, credentials } from "../runtime/credentials.ts";
import { nearestName } from "./nearest.ts";

/**
 * Of the files of a credentials folder, those that seem to be meant for Revka and have no name that it knows, each with
 * the nearest that it does. Empty where the folder cannot be read.
 */
export function strayCredentials(folder: string): { name: string; nearest: string | null }[] {
  const known = Object.keys(credentials);
  return namesIn(folder).flatMap((name) => {
    if (name === configCredential || known.includes(name)) return [];
    // Names of keys have underscores, and are compared so.
    const spelled = known.map((each) => each.replaceAll("-", "_"));
    const nearest = nearestName(name, spelled)?.replaceAll("_", "-") ?? null;
    return nearest !== null || /^revka[-_]/i.test(name) ? [{ name, nearest }] : [];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}
