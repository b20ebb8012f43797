/** The version that Meta released last, as of November 2026. */
export const CURRENT_GRAPH_VERSION = "v26.0";

/** The day each version ends (UTC), oldest first; the newest has none yet. Source: Graph API changelog, versions. */
const expiry: readonly { version: string; expires: string | null }[] = [
  { version: "v18.0", expires: "2026-01-26" },
  { version: "v19.0", expires: "2026-05-21" },
  { version: "v20.0", expires: "2026-09-24" },
  { version: "v21.0", expires: "2027-01-21" },
  { version: "v22.0", expires: "2027-05-20" },
  { version: "v23.0", expires: "2027-10-08" },
  { version: "v24.0", expires: "2028-02-18" },
  { version: "v25.0", expires: "2028-07-29" },
  { version: "v26.0", expires: null },
];

const day = 86_400_000;
/** How long before the end a person should hear of it. */
const noticeDays = 90;

/**
 * What a person should know of the Graph API version they set, or null: it has expired, or will within 90 days. `now`
 * is Unix milliseconds. Meta serves a call to an expired version as the next oldest one that is still usable
 * (Graph API guide, versioning), so behaviour changes without a word.
 */
export function graphVersionNotice(version: string, now: number): string | null {
  const advice = `set graph_api_version = "${CURRENT_GRAPH_VERSION}"`;
  const known = expiry.find((entry) => entry.version === version);
  if (known === undefined) {
    if (majorOf(version) >= majorOf(CURRENT_GRAPH_VERSION)) return null;
    return `Graph API ${version} has expired; Meta serves it as ${servedAs(now)}; ${advice}`;
  }
  if (known.expires === null) return null;
  const end = Date.parse(known.expires);
  if (now >= end) {
    return (
      `Graph API ${version} expired on ${inWords(end)}; Meta serves calls to an expired version as the next oldest ` +
      `usable one (now ${servedAs(now)}); ${advice}`
    );
  }
  if (end - now > noticeDays * day) return null;
  return `Graph API ${version} expires on ${inWords(end)}; ${advice}`;
}

function servedAs(now: number): string {
  const usable = expiry.find(({ expires }) => expires === null || now < Date.parse(expires));
  return usable?.version ?? CURRENT_GRAPH_VERSION;
}

function majorOf(version: string): number {
  return Number.parseInt(version.slice(1), 10);
}

const months =
  "January February March April May June July August September October November December".split(
    " ",
  );

/** `26 January 2026`. By hand: merely to make an `Intl.DateTimeFormat` takes a sixth of a start. */
function inWords(time: number): string {
  const date = new Date(time);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}
