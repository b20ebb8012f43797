import { expect, test } from "bun:test";
import { editDistance, nearestName } from "../../src/config/nearest.ts";

const known = ["access_token", "app_secret", "mode", "host", "port", "path"];

test.each<[name: string, nearest: string | null]>([
  ["acess_token", "access_token"],
  ["accesstoken", "access_token"],
  ["access-token", "access_token"],
  ["Access_Token", "access_token"],
  ["prot", "port"],
  ["hots", "host"],
  ["zzz", null],
  ["timezone", null],
  ["x".repeat(10_000), null],
])("%p", (name, nearest) => expect(nearestName(name, known)).toBe(nearest));

test.each<[a: string, b: string, distance: number]>([
  ["", "", 0],
  ["", "ab", 2],
  ["ab", "ba", 1],
  ["kitten", "sitting", 3],
])("%p to %p", (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});
