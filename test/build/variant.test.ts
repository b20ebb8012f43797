import { expect, test } from "bun:test";
import { hostTarget, isTarget, targets } from "../../scripts/build/target.ts";
import { variantOf, variantSuffix } from "../../scripts/build/variant.ts";

test.each([
  [undefined, "default", ""],
  ["", "default", ""],
  ["whatsapp-web", "whatsapp-web", "-whatsapp-web"],
])("--features %p builds %s", (features, variant, suffix) => {
  expect<string>(variantOf(features)).toBe(variant);
  expect(variantSuffix(variantOf(features))).toBe(suffix);
});

test("an unknown feature is refused by name", () => {
  expect(() => variantOf("whatsapp-web,telegram")).toThrow('unknown feature "telegram"');
});

test("this machine is one of the targets", () => {
  expect(targets).toContain(hostTarget());
  expect(isTarget("windows-x64")).toBe(false);
});
