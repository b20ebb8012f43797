import { expect, test } from "bun:test";
import { matchesNoProxy } from "../../src/net/no-proxy.ts";

const cases: [list: string[], url: string, expected: boolean][] = [
  [[], "https://a.test", false],
  [["*"], "https://a.test", true],
  [["a.test"], "https://a.test", true],
  [["a.test"], "https://b.a.test", true],
  [["a.test"], "https://ba.test", false],
  [[".a.test"], "https://b.a.test", true],
  [[".a.test"], "https://a.test", true],
  [["*.a.test"], "https://b.a.test", true],
  [["A.Test"], "https://a.test", true],
  [["a.test"], "https://a.test./", true],
  [["a.test:443"], "https://a.test", true],
  [["a.test:8443"], "https://a.test", false],
  [["a.test:80"], "http://a.test", true],
  [["*:8080"], "http://a.test:8080", true],
  [["*:8080"], "http://a.test", false],
  [["x.test, a.test"], "https://a.test", true],
  [["", " ", "."], "https://a.test", false],
  [["test"], "https://a.test", true],
  [["localhost"], "http://localhost:1", true],
  [["localhost"], "http://127.0.0.1:1", false],
  [["127.0.0.1"], "http://127.0.0.1:1", true],
  [["127.0.0.1"], "http://127.0.0.11", false],
  [["0.0.1"], "http://127.0.0.1", false],
  [["127.0.0.1:81"], "http://127.0.0.1", false],
  [["10.0.0.0/8"], "http://10.200.0.1", true],
  [["10.0.0.0/8"], "http://11.0.0.1", false],
  [["10.0.0.0/8"], "http://ten.test", false],
  [["10.0.0.0/99"], "http://10.0.0.1", false],
  [["::1"], "http://[::1]:80", true],
  [["[::1]"], "http://[::1]", true],
  [["[::1]:81"], "http://[::1]:80", false],
  [["0:0:0:0:0:0:0:1"], "http://[::1]", true],
  [["fd00::/8"], "http://[fd12::1]", true],
  [["fd00::/8"], "http://[fe12::1]", false],
  [["fd00::/8"], "http://10.0.0.1", false],
  [["fd00::/8"], "http://fd00.test", false],
  [["::1"], "http://[::2]", false],
  [["::1"], "http://localhost", false],
  [["::1"], "http://127.0.0.1", false],
  [["127.0.0.1"], "http://localhost", false],
  [["127.0.0.1"], "http://[::1]", false],
  [["0.0.0.0/0"], "http://[::1]", false],
  [["10.0.0.0/"], "http://10.0.0.1", false],
  [["10.0.0.0/x"], "http://10.0.0.1", false],
  [["ten/8"], "http://10.0.0.1", false],
  [["a.test:80"], "ws://a.test", true],
  [["a.test:443"], "wss://a.test", true],
];

test("NO_PROXY", () => {
  for (const [list, url, expected] of cases) {
    expect([list, url, matchesNoProxy(list, new URL(url))]).toEqual([list, url, expected]);
  }
});
