import { expect, test } from "bun:test";
import { Acknowledgements, refusal } from "../../../src/channels/whatsapp-web/acknowledgements.ts";

test.each([
  ["463", "no"],
  ["479", "backoff"],
  ["429", "backoff"],
  ["401", "hold"],
  ["403", "no"],
  ["500", "backoff"],
  ["nonsense", "backoff"],
] as const)("an ack with the error %s means %s", (error, retry) => {
  expect(refusal(error).retry).toBe(retry);
});

test("each waits for its own word; a lost connection is no word", async () => {
  const acknowledgements = new Acknowledgements();
  const [a, b, c] = ["a", "b", "c"].map((id) => acknowledgements.expect(id));
  acknowledgements.settle("b", "479");
  acknowledgements.settle("a", null);
  acknowledgements.settle("nobody's", null);
  acknowledgements.lose();
  expect(await Promise.all([a, b, c])).toEqual([{ ok: true }, { ok: false, error: "479" }, null]);
});
