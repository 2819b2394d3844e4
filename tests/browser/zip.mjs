// A zip of small texts, stored without compression.

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});
const crc = (bytes) => (bytes.reduce((sum, byte) => table[(sum ^ byte) & 0xff] ^ (sum >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;

const fields = (...pairs) => {
  const out = Buffer.alloc(pairs.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of pairs) {
    if (size === 2) out.writeUInt16LE(value, at);
    else out.writeUInt32LE(value, at);
    at += size;
  }
  return out;
};

/** The bytes of a zip with these files, by path. */
export function zip(files) {
  const parts = [];
  const entries = [];
  let offset = 0;
  for (const [path, text] of Object.entries(files)) {
    const name = Buffer.from(path);
    const body = Buffer.from(text);
    const sum = crc(body);
    const about = [[2, 20], [2, 0], [2, 0], [2, 0], [2, 33], [4, sum], [4, body.length], [4, body.length], [2, name.length], [2, 0]];
    const head = fields([4, 0x04034b50], ...about);
    parts.push(head, name, body);
    entries.push(fields([4, 0x02014b50], [2, 20], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), name);
    offset += head.length + name.length + body.length;
  }
  const size = entries.reduce((sum, entry) => sum + entry.length, 0);
  const count = Object.keys(files).length;
  return Buffer.concat([...parts, ...entries, fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0])]);
}
