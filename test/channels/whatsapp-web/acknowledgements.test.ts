import { expect, test } from "bun:test";
import { Acknowledgements, refusal } from "../../../src/channels/whatsapp-web/acknowledgements.ts";

test.each([
  ["463", "no", "ack_463", null],
  ["479", "backoff", "ack_479", null],
  ["420", "backoff", "ack_420", 30_000],
  ["429", "backoff", "ack_429", 30_000],
  ["401", "hold", "ack_401", null],
  ...["400", "403", "404", "405", "406", "410"].map(
    (error) => [error, "no", `ack_${error}`, null] as const,
  ),
  ["500", "backoff", "ack_500", null],
  ["+491700000001", "backoff", "ack_unknown", null],
] as const)("an ack with the error %s means %s", (error, retry, code, afterMs) => {
  expect(refusal(error)).toMatchObject({ retry, code, afterMs });
});

test("each waits for its own word; a lost connection is no word, and who is forgotten gets none", async () => {
  const acknowledgements = new Acknowledgements();
  const [a, b, c, d] = ["a", "b", "c", "d"].map((id) => acknowledgements.expect(id));
  acknowledgements.settle("b", "479");
  acknowledgements.settle("a", null);
  acknowledgements.settle("nobody's", null);
  acknowledgements.forget("d");
  acknowledgements.lose();
  expect(await Promise.all([a, b, c])).toEqual([{ ok: true }, { ok: false, error: "479" }, null]);
  expect(await Promise.race([d, "no word"])).toBe("no word");
});
