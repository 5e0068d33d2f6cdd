// Builds the app into dist/, from where the server embeds it, with compressed copies beside every asset.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compressed } from "./build/compressed.ts";

const SERVER = process.env.NITEJAR_URL ?? "http://127.0.0.1:3000";

export default defineConfig({
  plugins: [react(), compressed()],
  server: {
    proxy: {
      "/api": {
        target: SERVER,
        changeOrigin: true,
        // The server takes requests from its own pages alone; the one that asks here is Vite's.
        configure: (proxy) =>
          proxy.on("proxyReq", (request) => {
            if (request.hasHeader("origin")) request.setHeader("origin", new URL(SERVER).origin);
          }),
      },
    },
  },
  build: {
    target: "es2023",
    // The content security policy allows no inline anything, so assets stay files.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    manifest: true,
  },
  test: {
    environment: "jsdom",
    environmentOptions: { jsdom: { url: "http://localhost:3000" } },
    setupFiles: ["src/testing/setup.ts"],
    restoreMocks: true,
    // Typing into forms takes its time on a loaded machine.
    testTimeout: 20_000,
  },
});
