import { closeSync, openSync, readSync } from "node:fs";
import { percentile } from "../statistics.ts";

// Posts the requests of a file over some connections, each waiting for its answer before the next, where wrk is
// missing: PORT FILE SIZE FIRST COUNT CONNECTIONS SECONDS. Prints the same JSON line as wrk.lua.
const [port, path, ...numbers] = process.argv.slice(2);
const [size = 0, first = 0, count = 0, connections = 0, seconds = 0] = numbers.map(Number);
const file = openSync(path ?? "", "r");
const block = Buffer.alloc(size * 256);
let filled = 0;
let taken = 0;
let next = first;

function request(): Uint8Array {
  if (taken >= filled) {
    if (next >= count) next = 0;
    filled = Math.floor(readSync(file, block, 0, block.length, next * size) / size);
    next += filled;
    taken = 0;
  }
  // A copy: the block is filled anew while a socket may still hold what it was given.
  return new Uint8Array(block.subarray(taken * size, ++taken * size));
}

const times: number[] = [];
let errors = 0;
const began = performance.now();
const until = began + seconds * 1000;

async function connection(): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let sentAt = 0;
  let answer = "";
  await Bun.connect({
    hostname: "127.0.0.1",
    port: Number(port),
    socket: {
      open(socket) {
        sentAt = performance.now();
        socket.write(request());
      },
      data(socket, bytes) {
        answer += bytes.toString("latin1");
        const end = answer.indexOf("\r\n\r\n");
        if (end < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0);
        if (answer.length < end + 4 + length) return;
        const now = performance.now();
        if (answer.startsWith("HTTP/1.1 200")) times.push(now - sentAt);
        else errors++;
        answer = "";
        if (now >= until) return void socket.end();
        sentAt = now;
        socket.write(request());
      },
      close: () => resolve(),
      error: () => {
        errors++;
        resolve();
      },
    },
  });
  await ended;
}

await Promise.all(Array.from({ length: connections }, connection));
closeSync(file);
console.log(
  JSON.stringify({
    requests: times.length,
    seconds: (performance.now() - began) / 1000,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    errors,
  }),
);
