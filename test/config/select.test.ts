import { expect, test } from "bun:test";
import { selectBackend, type BackendSelection } from "../../src/config/select.ts";

const run = (backend: "cloud" | "web"): BackendSelection => ({
  kind: "run",
  backend,
  warning: null,
});

test.each<
  [
    name: string,
    cloud: string | undefined,
    web: string | undefined,
    feature: boolean,
    answer: unknown,
  ]
>([
  ["Cloud", "1", undefined, false, run("cloud")],
  ["Cloud, with the feature", "1", undefined, true, run("cloud")],
  ["Cloud, the other blank", "1", "", true, run("cloud")],
  ["Web", undefined, "/s.db", true, run("web")],
  ["Web, the other blank", " ", "/s.db", true, run("web")],
  ["Web without the feature", undefined, "/s.db", false, { kind: "skip", code: "feature-missing" }],
  ["both", "1", "/s.db", true, { kind: "run", backend: "cloud" }],
  ["both, without the feature", "1", "/s.db", false, { kind: "run", backend: "cloud" }],
  ["neither", undefined, undefined, true, { kind: "skip", code: "config-invalid" }],
  [
    "neither, without the feature",
    undefined,
    undefined,
    false,
    { kind: "skip", code: "config-invalid" },
  ],
  ["both blank", "", "", true, { kind: "skip", code: "config-invalid" }],
])("%s", (_name, phone_number_id, session_path, whatsappWeb, answer) => {
  const selection = selectBackend(
    {
      ...(phone_number_id !== undefined && { phone_number_id }),
      ...(session_path !== undefined && { session_path }),
    },
    { whatsappWeb },
  );
  expect(selection).toMatchObject(answer as object);
});

test("no table, nothing to say", () => {
  expect(selectBackend(undefined, { whatsappWeb: true })).toEqual({ kind: "absent" });
});

test("the words of each", () => {
  const both = selectBackend({ phone_number_id: "1", session_path: "/s" }, { whatsappWeb: true });
  expect(both.kind === "run" && both.warning).toContain("remove one of the two");
  const neither = selectBackend({}, { whatsappWeb: true });
  expect(neither.kind === "skip" && neither.message).toContain("config-invalid");
  const rebuild = selectBackend({ session_path: "/s" }, { whatsappWeb: false });
  expect(rebuild.kind === "skip" && rebuild.message).toContain("config-invalid");
  expect(rebuild.kind === "skip" && rebuild.message).toContain(
    "bun run build --features whatsapp-web",
  );
});
