import { Buffer } from 'node:buffer';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const STORED = 0;

/** The entries of a zip that is stored without compression, by name; written apart from Peru's. */
export function readZip(zip: Buffer): ReadonlyMap<string, Buffer> {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0 || zip.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error('No zip.');
  const entries = new Map<string, Buffer>();
  const entryCount = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < entryCount; i++) {
    if (zip.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error('The directory is broken.');
    if (zip.readUInt16LE(at + 10) !== STORED) throw new Error('An entry is compressed.');
    const byteLength = zip.readUInt32LE(at + 24);
    const [nameLength, extra, comment] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
    const name = zip.subarray(at + 46, at + 46 + nameLength!).toString('utf8');
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    if (entries.has(name)) throw new Error(`${name} stands there twice.`);
    entries.set(name, zip.subarray(start, start + byteLength));
    at += 46 + nameLength! + extra! + comment!;
  }
  return entries;
}
