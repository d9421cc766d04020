/** The low 16 bits of a CRC-32 (ISO 3309, as of zlib and PNG): names the block that was spoiled. */

/** Of these bytes, one after the other. */
export type Checksum = (...parts: readonly Uint8Array[]) => number;

/** Bytes of one in a directory. */
export const CHECKSUM_BYTES = 2;

export async function openChecksum(): Promise<Checksum> {
  const { createCRC32 } = await import('hash-wasm');
  const crc = await createCRC32();
  return (...parts) => {
    crc.init();
    for (const part of parts) crc.update(part);
    const [, , high, low] = crc.digest('binary');
    return 256 * high! + low!;
  };
}
