/** Lines after the first are set in, so that behind a writer's name none of them reads as another's words. */
export function hangingIndent(text: string): string {
  return text.replace(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/g, "\n  ");
}
