/** What `/health` answers. */
export async function healthOf(url: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(`${url}/health`);
  return { status: answer.status, body: await answer.text() };
}
