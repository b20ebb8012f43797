import { expect, test } from "bun:test";
import { hasOpenSessionWith } from "../../../src/channels/whatsapp-web/stored-session.ts";

const identity = Buffer.alloc(33, 5);
const record = (closed: number, registrationId: number | undefined) => ({
  _sessions: {
    a: { registrationId, indexInfo: { closed, remoteIdentityKey: identity.toString("base64") } },
  },
});

test.each([
  ["an open session", record(-1, 7), identity, true],
  ["a closed session", record(1_700_000_000_000, 7), identity, false],
  ["another identity", record(-1, 7), Buffer.alloc(33, 6), false],
  ["a session without its registration", record(-1, undefined), identity, false],
  [
    "an open session beside one without its registration",
    {
      _sessions: {
        ...record(-1, 7)._sessions,
        b: { indexInfo: { closed: 1, remoteIdentityKey: "" } },
      },
    },
    identity,
    true,
  ],
  ["no record", undefined, identity, false],
])("%s", (_, stored, key, expected) => {
  expect(hasOpenSessionWith(stored, key)).toBe(expected);
});
