/**
 * The beginning of a text, at most `length` UTF-16 units, cut between two characters as the eye sees them: half of one
 * is no Unicode, and providers refuse a request that holds it.
 */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  let end = 0;
  for (const { index, segment } of new Intl.Segmenter().segment(text)) {
    if (index + segment.length > length) break;
    end = index + segment.length;
  }
  // Marks may be stacked without end on a first character.
  return end > 0 ? text.slice(0, end) : text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}
