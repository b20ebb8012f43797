import { randomBytes } from "node:crypto";
import type { Account, Addressing } from "./account.ts";
import { type BinaryNode, child, children, now, queryError, result, stanza } from "./stanza.ts";

/** A group; in LID mode its members appear by LID, with the phone number beside it. */
export class Group {
  readonly jid: string;
  readonly created = now();

  constructor(
    readonly subject: string,
    readonly members: Account[],
    readonly addressing: Addressing = "lid",
    id = `120363${BigInt(`0x${randomBytes(5).toString("hex")}`)}`,
  ) {
    this.jid = `${id}@g.us`;
  }

  get creator(): Account {
    const [creator] = this.members;
    if (!creator) throw new Error("a group has at least its creator");
    return creator;
  }

  has(account: Account): boolean {
    return this.members.includes(account);
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
