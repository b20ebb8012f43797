import { expect, test } from "bun:test";
import { endOfId } from "../../src/telemetry/message-id.ts";

test.each([
  ["wamid.HBgLMTU1NTAwMDExMTEVAgASGBRFMkU3MTRDRjlCMzNBMDA0N0VENQA=", "…MzNBMDA0N0VENQA="],
  ["3EB0C767D82B0A1B", "3EB0C767D82B0A1B"],
  ["", ""],
])("%p is logged as %p", (id, shown) => {
  expect(endOfId(id)).toBe(shown);
  expect(shown).not.toContain(btoa("15550001111").slice(0, 12));
});
