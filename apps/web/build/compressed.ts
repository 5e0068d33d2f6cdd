// Writes a Brotli and a gzip copy beside every built asset, so that the server compresses nothing while somebody
// waits. The server carries only these copies.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

export function compressed(): Plugin {
  let assets = "dist/assets";
  return {
    name: "compressed",
    apply: "build",
    configResolved(config) {
      assets = join(config.build.outDir, config.build.assetsDir);
    },
    async writeBundle() {
      for (const name of await readdir(assets)) {
        const content = await readFile(join(assets, name));
        const brotli = {
          params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
        };
        await writeFile(join(assets, `${name}.br`), brotliCompressSync(content, brotli));
        await writeFile(join(assets, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}
