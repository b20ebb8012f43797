import { z } from "zod";

/** A session record as libsignal 6.0.0 serialises it (`session_record.js`), as far as it matters here. */
const recordSchema = z.object({
  _sessions: z.record(
    z.string(),
    z.object({
      registrationId: z.number().optional(),
      indexInfo: z.object({ closed: z.number(), remoteIdentityKey: z.string() }),
    }),
  ),
});

/** Whether the record holds an open session with the owner of this identity key. */
export function hasOpenSessionWith(stored: unknown, identityKey: Uint8Array): boolean {
  const record = recordSchema.safeParse(stored);
  if (!record.success) return false;
  const wanted = Buffer.from(identityKey).toString("base64");
  return Object.values(record.data._sessions).some(
    ({ registrationId, indexInfo }) =>
      registrationId !== undefined &&
      indexInfo.closed === -1 &&
      indexInfo.remoteIdentityKey === wanted,
  );
}
