// Unpacks what the package holds into the folder that stdin names: the program, and archives of its libraries and fonts.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { brotliDecompressSync } from "node:zlib";

const { folder } = JSON.parse(await text(process.stdin));
for (const name of ["chromium", "al2023.tar", "fonts.tar"]) {
  const packed = readFileSync(join("node_modules", "@sparticuz", "chromium", "bin", `${name}.br`));
  writeFileSync(join(folder, name), brotliDecompressSync(packed));
}
chmodSync(join(folder, "chromium"), 0o755);
console.log(JSON.stringify("unpacked"));
