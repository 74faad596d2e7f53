// Puts a .br and a .gz beside each file of a built page's assets that gains by it, and tells how much the
// page's first view loads.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dir = process.argv[2];
const compressible = /\.(js|css|svg|json|txt|webmanifest)$/;
const size = {};
for (const entry of readdirSync(join(dir, "assets"), { recursive: true, withFileTypes: true })) {
	if (!entry.isFile() || !compressible.test(entry.name)) continue;
	const path = join(entry.parentPath ?? entry.path, entry.name);
	const content = readFileSync(path);
	const gz = gzipSync(content, { level: 9 });
	size[entry.name] = gz.length;
	if (content.length < 1024 || gz.length > 0.9 * content.length) continue;
	writeFileSync(`${path}.gz`, gz);
	writeFileSync(
		`${path}.br`,
		brotliCompressSync(content, {
			params: {
				[constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
				[constants.BROTLI_PARAM_SIZE_HINT]: content.length,
			},
		}),
	);
}
const first = [...readFileSync(join(dir, "index.html"), "utf8").matchAll(/(?:src|href)="\/?assets\/([^"]+\.js)"/g)].map((m) => m[1]);
const kB = first.reduce((sum, name) => sum + (size[name] ?? 0), 0) / 1000;
console.error(`web: JavaScript that index.html names: ${kB.toFixed(0)} kB gzipped`);
