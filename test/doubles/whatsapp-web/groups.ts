import { randomBytes } from "node:crypto";
import type { Account, Addressing } from "./account.ts";
import { type BinaryNode, child, children, now, queryError, result, stanza } from "./stanza.ts";

/** A group; in LID mode its members appear by LID, with the phone number beside it. */
export class Group {
  readonly created = now();
  private changes = 0;

  constructor(
    readonly subject: string,
    readonly members: Account[],
    readonly addressing: Addressing = "lid",
    readonly jid = `120363${BigInt(`0x${randomBytes(5).toString("hex")}`)}@g.us`,
  ) {}

  get creator(): Account {
    const [creator] = this.members;
    if (!creator) throw new Error("a group has at least its creator");
    return creator;
  }

  has(account: Account): boolean {
    return this.members.includes(account);
  }

  /** Changes the members and gives the notification that says so. */
  change(change: "add" | "remove", account: Account): BinaryNode {
    const { creator, addressing } = this;
    const at = this.members.indexOf(account);
    if (change === "add" && at < 0) this.members.push(account);
    if (change === "remove" && at >= 0) this.members.splice(at, 1);
    const participant = stanza("participant", {
      jid: account.address(addressing),
      phone_number: addressing === "lid" ? account.jid() : undefined,
    });
    const attrs = {
      from: this.jid,
      type: "w:gp2",
      id: `${this.jid.split("@")[0]}-${++this.changes}`,
      participant: creator.address(addressing),
      participant_pn: addressing === "lid" ? creator.jid() : undefined,
      addressing_mode: addressing,
      t: now(),
    };
    return stanza("notification", attrs, [stanza(change, {}, [participant])]);
  }

  node(): BinaryNode {
    const { creator, addressing } = this;
    const participants = this.members.map((member) =>
      stanza("participant", {
        jid: member.address(addressing),
        phone_number: addressing === "lid" ? member.jid() : undefined,
        lid: addressing === "pn" ? member.lidJid() : undefined,
        type: member === creator ? "superadmin" : undefined,
      }),
    );
    return stanza(
      "group",
      {
        id: this.jid.split("@")[0],
        subject: this.subject,
        s_t: this.created,
        s_o: creator.address(addressing),
        creation: this.created,
        creator: creator.address(addressing),
        creator_pn: addressing === "lid" ? creator.jid() : undefined,
        addressing_mode: addressing,
        size: this.members.length,
      },
      participants,
    );
  }
}

/** Namespace `w:g2`: one group's metadata, or all groups of the account. */
export function answerGroups(
  groups: Map<string, Group>,
  account: Account,
  query: BinaryNode,
): BinaryNode {
  if (child(query, "participating")) {
    const mine = [...groups.values()].filter((group) => group.has(account));
    return result(query, [
      stanza(
        "groups",
        {},
        mine.map((group) => group.node()),
      ),
    ]);
  }
  const group = groups.get(query.attrs.to ?? "");
  if (!group) return queryError(query, 404, "item-not-found");
  if (!group.has(account)) return queryError(query, 403, "forbidden");
  if (children(query)[0]?.tag !== "query") return queryError(query, 501, "not in the double");
  return result(query, [group.node()]);
}
