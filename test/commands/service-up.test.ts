import { expect, spyOn, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { as, home, program, ran, service, undo, useServiceManagers } from "../support/service.ts";

useServiceManagers();

const start = () => {
  as(0);
  return service("start", "--manager", "openrc", "--run-as", "ada");
};

/** A daemon of ada's that answers from the time on that OpenRC has been asked to start it. */
async function answering(status: number): Promise<void> {
  const server = createServer((_request, response) => {
    response
      .writeHead(status, { "content-type": "application/json" })
      .end('{"daemon":{},"channels":[]}');
  });
  mkdirSync(join(home, "ada/.revka"), { recursive: true });
  await new Promise<void>((resolve) => server.listen(join(home, "ada/.revka/revka.sock"), resolve));
  undo.push(() => server.close());
}

/** Each look at the clock is ten seconds after the last. */
function hurry(): void {
  let now = Date.now();
  const spy = spyOn(Date, "now").mockImplementation(() => (now += 10_000));
  undo.push(() => spy.mockRestore());
}

test("a daemon that OpenRC has started and that answers is started", async () => {
  await answering(200);
  expect(await start()).toEqual({ code: 0, out: "", err: "" });
  expect(ran()).toEqual(["rc-service revka start"]);
});

test.each([
  ["that nobody answers for", async () => {}],
  ["in whose place something else answers", () => answering(500)],
])("a start %s is a failure, and the log says why", async (_, there) => {
  await there();
  hurry();
  program("tail");
  expect(await start()).toEqual({
    code: 1,
    out: "",
    err: "revka: the service did not start; its log ends as above, and `revka service logs` has more\n",
  });
  expect(ran()).toEqual(["rc-service revka start", "tail -n 10 /var/log/revka.log"]);
});

test("one that OpenRC has not started is not waited for", async () => {
  program("rc-service", "exit 1");
  program("tail");
  const before = performance.now();
  expect((await start()).code).toBe(1);
  expect(performance.now() - before).toBeLessThan(5_000);
});
