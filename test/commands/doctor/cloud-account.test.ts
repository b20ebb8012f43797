import { expect, test } from "bun:test";
import { cloudProbes } from "../../../src/commands/doctor/cloud-probes.ts";
import { examine, type Finding } from "../../../src/commands/doctor/probe.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { GraphAccount } from "../../../src/simulator/graph/options.ts";
import { fakeClock } from "../../support/clock.ts";
import { doctorTrial } from "../../support/doctor-trial.ts";

const trial = doctorTrial();
const { cloud, config, doctor } = trial;

const wrong: [string, Partial<GraphAccount>, string, Finding["level"], RegExp][] = [
  ["another token", { accessToken: "other" }, "number", "error", /190/],
  ["another number", { phoneNumberId: "42" }, "number", "error", /100|33/],
  ["no subscription", { subscribed: false }, "subscription", "error", /no app is subscribed/],
  [
    "a token without permission",
    { scopes: [] },
    "permission",
    "error",
    /whatsapp_business_messaging/,
  ],
  [
    "a token that ends soon",
    { tokenExpiresAt: Math.floor(Date.now() / 1000) + 86_400 },
    "token",
    "warning",
    /expires on/,
  ],
];
test.each(wrong)("%s", async (_, account, name, level, message) => {
  await cloud(account);
  const result = await doctor();
  expect(result.find("cloud", name)).toMatchObject({
    level,
    message: expect.stringMatching(message),
  });
  expect(result.find("cloud", name)?.next).not.toBeNull();
  expect(result.code).toBe(level === "error" ? 1 : 0);
  expect(result.out).not.toMatch(/s3cret|EAAsimulated|simulated-app-secret/);
});

const invalidProof = { error: { code: 100, message: "Invalid appsecret_proof" } };
const busy = { error: { code: 4, message: "Application request limit reached" } };
test.each<[string, () => Response, Finding["level"], RegExp]>([
  ["of another app", () => Response.json(invalidProof, { status: 400 }), "error", /copy it anew/],
  ["that Meta has no time for", () => Response.json(busy, { status: 400 }), "info", /^null$/],
  ["that gets no answer", () => new Response("<html>", { status: 502 }), "info", /^null$/],
])("an app secret %s", async (_, answer, level, next) => {
  await cloud();
  const fetch = async (url: string | URL) =>
    String(url).includes("appsecret_proof") ? answer() : Response.json({ id: "1060000000000001" });
  const findings = await examine(
    cloudProbes.filter(({ name }) => name === "app secret"),
    {
      loaded: loadConfig({ path: null, env: trial.env, home: trial.home }),
      env: trial.env,
      network: { fetchFor: () => fetch, proxyUrlFor: () => null, close: async () => {} },
      status: null,
      clock: fakeClock(),
    },
    1000,
  );
  expect(findings).toMatchObject([{ level, name: "app secret" }]);
  expect(String(findings[0]?.next)).toMatch(next);
});

test("an old version warns", async () => {
  config(
    '[agent]\nkind="echo"\n[channels_config.whatsapp]\naccess_token="EAAsimulated"\nphone_number_id="1"\nverify_token="vvvv"\napi_base_url="http://127.0.0.1:9"\n',
  );
  expect((await doctor()).find("cloud", "version")).toMatchObject({ level: "warning" });
});
