import { expect, setDefaultTimeout, test } from "bun:test";
import { canTrace } from "../../scripts/torture/power.ts";
import { isFine, killWeb } from "../../scripts/web-kill/run.ts";

setDefaultTimeout(120_000);

// The long form is `bun run web-kill --rounds 200`.
test("a daemon killed ten times while it links, receives and sends loses, repeats and mixes up nothing", async () => {
  const report = await killWeb({ rounds: 10, seed: 7, say: () => {} });
  expect(report.kills).toBe(10);
  expect(report.traffic.messages).toBeGreaterThan(8);
  if (!isFine(report)) throw new Error(JSON.stringify(report, null, 2));
});

// The long form is `bun run web-kill --power --rounds 60`.
test.skipIf(!canTrace())(
  "nor does one whose power is cut, which goes on from what was synced",
  async () => {
    const report = await killWeb({ rounds: 6, seed: 5, power: true, say: () => {} });
    expect(report.power?.cuts).toBeGreaterThan(2);
    if (!isFine(report)) throw new Error(JSON.stringify(report, null, 2));
  },
);
