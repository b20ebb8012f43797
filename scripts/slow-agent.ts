import { countOf, optionsOf } from "./options.ts";
import { slowAgentRun } from "./slow-agent/run.ts";

/**
 * A thousand messages of 200 chats while the agent takes two seconds a turn: `bun run slow-agent`. Ends with 1 where a
 * webhook had to wait, a message went missing or an order was lost.
 */
const usage = `bun run slow-agent [--messages 1000] [--chats 200] [--agent-ms 2000] [--turns 200] [--per-second 200] [--binary FILE]

  --agent-ms    how long the agent takes
  --turns       turns at once
  --per-second  how fast the messages come
  --binary      an executable of Revka; else the source`;

const { values } = optionsOf(usage, {
  options: {
    messages: { type: "string", default: "1000" },
    chats: { type: "string", default: "200" },
    "agent-ms": { type: "string", default: "2000" },
    turns: { type: "string", default: "200" },
    "per-second": { type: "string", default: "200" },
    binary: { type: "string" },
  },
});
/** What Meta wants: a median of 250 ms, and less than one in a hundred over a second. */
const allowedP99 = 250;
const { verdict, acknowledgement, agentTurns, seconds } = await slowAgentRun({
  messages: countOf(usage, "messages", values.messages),
  chats: countOf(usage, "chats", values.chats),
  agentMs: countOf(usage, "agent-ms", values["agent-ms"]),
  turns: countOf(usage, "turns", values.turns),
  perSecond: countOf(usage, "per-second", values["per-second"]),
  binary: values.binary ?? null,
});
const { median, p99, worst } = acknowledgement;
console.log(`messages          ${verdict.messages}, acknowledged ${verdict.acknowledged}
acknowledged in   median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, worst ${worst.toFixed(1)} ms
lost              ${verdict.lost.length}
answered twice    ${verdict.answeredTwice.length}
out of order      ${verdict.outOfOrder.length}
agent turns       ${agentTurns}
seconds           ${seconds.toFixed(1)}`);
const fine =
  verdict.acknowledged === verdict.messages &&
  verdict.lost.length + verdict.answeredTwice.length + verdict.outOfOrder.length === 0 &&
  p99 < allowedP99;
process.exit(fine ? 0 : 1);
