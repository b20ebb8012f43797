import { expect, test } from "bun:test";
import {
  bundledVersion,
  currentVersion,
  versionIn,
} from "../../../src/channels/whatsapp-web/version.ts";
import type { Fetch } from "../../../src/net/fetch.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { fakeClock } from "../../support/clock.ts";

const ask = (fetch: Fetch, clock = fakeClock()) =>
  currentVersion({ fetch, clock, log: silentLog, signal: new AbortController().signal });

test.each([
  ['{"client_revision":1043999999,', [2, 3000, 1043999999]],
  ['\\"client_revision\\": 1043999999', [2, 3000, 1043999999]],
  ["<html>no such thing</html>", null],
])("the revision in %p is %p", (script, version) => {
  expect(versionIn(script)).toEqual(version as ReturnType<typeof versionIn>);
});

test("the current version is taken; an older one or none is not", async () => {
  const newer = bundledVersion[2] + 1;
  const script = (revision: number) => async () => new Response(`"client_revision":${revision}`);
  expect(await ask(script(newer))).toEqual([2, 3000, newer]);
  expect(await ask(script(bundledVersion[2] - 1))).toEqual(bundledVersion);
  expect(await ask(async () => new Response("", { status: 503 }))).toEqual(bundledVersion);
  expect(await ask(() => Promise.reject(new Error("no network")))).toEqual(bundledVersion);
});

test("a server that does not answer holds nothing up for longer than 5 s", async () => {
  const clock = fakeClock();
  const hung: Fetch = (_, init) =>
    new Promise((_, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    });
  const asked = ask(hung, clock);
  await clock.advance(5000);
  expect(await asked).toEqual(bundledVersion);
});
