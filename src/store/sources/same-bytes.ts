/** Read at a time of each file. */
const PIECE_BYTES = 4 * 2 ** 20;

/**
 * Whether two files hold the same bytes; those that differ are mostly told apart by their sizes, or
 * by the first piece.
 *
 * @throws DOMException when one can not be read
 */
export async function sameBytes(one: Blob, other: Blob): Promise<boolean> {
  if (one.size !== other.size) return false;
  for (let at = 0; at < one.size; at += PIECE_BYTES) {
    const piece = async (blob: Blob): Promise<Uint8Array> =>
      new Uint8Array(await blob.slice(at, at + PIECE_BYTES).arrayBuffer());
    const [a, b] = await Promise.all([piece(one), piece(other)]);
    if (a.some((byte, i) => byte !== b[i])) return false;
  }
  return true;
}
