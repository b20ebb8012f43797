import { describe, expect, test } from "bun:test";
import { messagesBody, parse, reasons } from "./bodies.ts";

describe("statuses", () => {
  const status = (item: object) =>
    parse(messagesBody([], { statuses: [{ id: "wamid.S", timestamp: "1749416383", ...item }] }));

  test.each(["sent", "delivered", "read", "played"])("%s", (state) => {
    expect(status({ status: state, biz_opaque_callback_data: "delivery-1" })).toEqual([
      {
        kind: "status",
        status: {
          platformId: "wamid.S",
          deliveryId: "delivery-1",
          state,
          timestamp: 1749416383,
          failure: null,
        },
      },
    ] as never);
  });

  test("failed, with Meta's reason", () => {
    const errors = [
      { code: 131047, title: "Re-engagement message", error_data: { details: "24 hours" } },
    ];
    const [event] = status({ status: "failed", errors });
    expect(event).toMatchObject({
      status: { deliveryId: null, failure: { retry: "no", code: "131047" } },
    } as never);
  });

  test.each<[object, string]>([
    [
      { code: 131047, title: "No", message: "No", error_data: { details: "Too late." } },
      "Too late.",
    ],
    [{ code: 7, title: "No", message: "Too early." }, "Too early."],
    [{ code: 7, title: "Too early." }, "Too early."],
  ])("failed, with what Meta says in %j", (error, words) => {
    const [event] = status({ status: "failed", errors: [error] });
    expect(event).toMatchObject({
      status: { failure: { hint: expect.stringMatching(new RegExp(` Meta says: ${words}$`)) } },
    } as never);
  });

  test.each([[undefined], [[]], ["?"], [7], [[{ code: "x" }]], [[{ code: 2 ** 53 }]]])(
    "failed, with errors %p",
    (errors) => {
      expect(status({ status: "failed", errors })[0]).toMatchObject({
        status: { failure: { retry: "no", code: "failed" } },
      } as never);
    },
  );

  test.each([
    "recipient_participant_id",
    "participant_recipient_id",
    "recipient_participant_user_id",
    "recipient_participant_parent_user_id",
  ])("failed for one person of a group (%s) is no failure of the message", (key) => {
    const item = { recipient_type: "group", recipient_id: "G", [key]: "US.1" };
    const failed = (code: number) => status({ ...item, status: "failed", errors: [{ code }] })[0];
    expect(failed(131000)).toMatchObject({
      status: { platformId: "wamid.S", state: "sent", failure: null },
    } as never);
    expect(failed(131042)).toMatchObject({
      status: { state: "failed", failure: { retry: "hold" } },
    } as never);
    expect(status({ ...item, status: "read" })[0]).toMatchObject({
      status: { state: "read" },
    } as never);
    expect(status({ ...item, [key]: "", status: "failed" })[0]).toMatchObject({
      status: { state: "failed" },
    } as never);
  });

  test.each([
    [{ status: "deleted" }, "unknown_status"],
    [{}, "malformed"],
    [{ id: undefined, status: "sent" }, "malformed"],
  ])("%j: %s", (item, reason) => {
    expect(reasons(status(item))).toEqual([reason]);
  });
});
