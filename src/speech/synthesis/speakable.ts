/**
 * What of an answer in Markdown can be read out: prose, without code, tables, addresses, emoji and marks. `""` where
 * nothing is left. Pure, and linear in the length of the text.
 */
export function speakable(markdown: string): string {
  const lines = withoutTables(withoutCode(markdown.split(/\r?\n/)));
  const spoken = lines.map(speakableLine).filter((line) => /[\p{L}\p{N}]/u.test(line));
  return spoken.join("\n");
}

function withoutCode(lines: string[]): string[] {
  let fence: string | null = null;
  return lines.filter((line) => {
    const mark = /^\s{0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === null) {
      fence = mark ?? null;
      return mark === undefined;
    }
    if (mark?.startsWith(fence)) fence = null;
    return false;
  });
}

/** A table is known by its second line, `| --- | --- |`, and goes on while lines hold a bar. */
function withoutTables(lines: string[]): string[] {
  const kept: string[] = [];
  let within = false;
  for (const line of lines) {
    if (isTableRule(line)) {
      if (kept.at(-1)?.includes("|")) kept.pop();
      within = true;
    } else if (!within || !line.includes("|")) {
      within = false;
      kept.push(line);
    }
  }
  return kept;
}

function isTableRule(line: string): boolean {
  return /^[\s|:-]+$/.test(line) && line.includes("|") && line.includes("-");
}

const address = /\b(?:https?|ftp|wss?|mailto|tel):\S+|\bwww\.\S+/giu;

function speakableLine(line: string): string {
  return (
    line
      .replace(/^\s{0,3}\[[^\]]{1,200}\]:\s.*$/, "")
      .replace(/^(?:\s{0,3}>)+/, "")
      .replace(/^\s*(?:[-*+]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?/, "")
      .replace(/^\s{0,3}#{1,6}\s+/, "")
      // Short words in code marks belong to their sentence; anything with symbols in it is code.
      .replace(/`+([^`]*)`+/g, (_, code: string) => (/^[\p{L}\p{N} .'-]+$/u.test(code) ? code : ""))
      .replace(/!?\[([^[\]]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)?\)|\[[^[\]]*\])/g, "$1")
      .replace(/<[a-z][a-z+.-]{1,20}:[^<>\s]*>/gi, "")
      .replace(/<br\s*\/?>/gi, " ")
      .replace(/<(?:[/!]?[a-z]|!--)[^<>]{0,500}>/gi, "")
      .replace(address, (found) => /[.,;:!?]$/.exec(found)?.[0] ?? "")
      .replace(/\\([!-/:-@[-`{-~])/g, "$1")
      .replace(/\*+(?=\S)|(?<=\S)\*+|~~/g, "")
      .replace(/(?<![\p{L}\p{N}])_+(?=\S)|(?<=\S)_+(?![\p{L}\p{N}])/gu, "")
      .replace(
        /[\p{Extended_Pictographic}\p{Regional_Indicator}\u{FE0F}\u{200D}\u{20E3}\u{1F3FB}-\u{1F3FF}]/gu,
        "",
      )
      .replace(/\(\s*\)|\[\s*\]/g, "")
      .replace(/\s+/g, " ")
      .replace(/ +([.,;:!?])/g, "$1")
      .trim()
  );
}
