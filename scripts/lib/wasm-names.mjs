// Function names are a fifteenth of the download and only show in stack traces. worker-build always keeps them, so they
// are taken out afterwards. A panic is logged with its file and line all the same.

const HEADER_BYTES = 8;
const CUSTOM_SECTION = 0;

/** A module without its name section (WebAssembly core specification, 5.5.2 and 7.4.1). */
export function withoutNames(module) {
  const kept = [module.subarray(0, HEADER_BYTES)];
  for (let at = HEADER_BYTES; at < module.length;) {
    const { value: size, end: start } = leb128(module, at + 1);
    const next = start + size;
    if (module[at] !== CUSTOM_SECTION || sectionName(module, start) !== "name")
      kept.push(module.subarray(at, next));
    at = next;
  }
  return Buffer.concat(kept);
}

function sectionName(module, at) {
  const { value: length, end } = leb128(module, at);
  return module.toString("latin1", end, end + length);
}

/** An unsigned number in LEB128, and where it ends. */
function leb128(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end: at };
  }
}
