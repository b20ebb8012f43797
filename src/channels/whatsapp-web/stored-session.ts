import * as v from "valibot";

/** A session record as libsignal 6.0.0 serialises it (`session_record.js`), as far as it matters here. */
const recordSchema = v.object({
  _sessions: v.record(
    v.string(),
    v.object({
      registrationId: v.optional(v.number()),
      indexInfo: v.object({ closed: v.number(), remoteIdentityKey: v.string() }),
    }),
  ),
});

/** Whether the record holds an open session with the owner of this identity key. */
export function hasOpenSessionWith(stored: unknown, identityKey: Uint8Array): boolean {
  const record = v.safeParse(recordSchema, stored);
  if (!record.success) return false;
  const wanted = Buffer.from(identityKey).toString("base64");
  return Object.values(record.output._sessions).some(
    ({ registrationId, indexInfo }) =>
      registrationId !== undefined &&
      indexInfo.closed === -1 &&
      indexInfo.remoteIdentityKey === wanted,
  );
}
